"""Fail the run of a task of which its worker does not speak any more."""

from __future__ import annotations

from flamenco_core.config import Duration
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.fail import fail_task
from flamenco_core.manager.usecases.rules import Rules

__all__ = ["fail_silent_task"]


def fail_silent_task(tx: Tx, task_id: str, silence: float, rules: Rules) -> None:
    """Count a run as failed after *silence* (seconds); others try the task.

    A task that is not at work any more stays as it is. Raises `NotFound`.
    """
    task = task_rows.reported_task(tx, task_id, whole_job=True)
    if task.status != TaskStatus.ACTIVE:
        return
    activity = (
        f"Task timed out on worker {task.worker_name} ({task.worker_uuid}):"
        f" nothing was heard of it for {Duration.of(silence)}"
    )
    fail_task(tx, task, rules, activity=activity, seq=task.seq, steps=int(task.steps_completed))
