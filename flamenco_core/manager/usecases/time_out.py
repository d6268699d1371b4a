"""Fail the run of a task of which its worker does not speak any more."""

from __future__ import annotations

from collections.abc import Callable

from flamenco_core.config import Duration
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.fail import fail_task
from flamenco_core.manager.usecases.rules import Rules

__all__ = ["LastHeard", "fail_silent_task"]

LastHeard = Callable[[str], int | None]
"""Says when this Manager has last heard of a worker (microseconds, UTC), if it has."""

ELSEWHERE = 30_000_000
"""Microseconds; contacts are stored every ten seconds, and clocks differ."""


def fail_silent_task(
    tx: Tx, task_id: str, silence: float, last_heard: LastHeard, rules: Rules
) -> None:
    """Count a run as failed after *silence* (seconds); others try the task.

    A task that is not at work any more stays as it is, and so does one whose worker has
    gone over to another Manager of the farm. Raises `NotFound`.
    """
    task = task_rows.reported_task(tx, task_id, whole_job=True)
    if task.status != TaskStatus.ACTIVE or _is_elsewhere(tx, task, last_heard):
        return
    activity = (
        f"Task timed out on worker {task.worker_name} ({task.worker_uuid}):"
        f" nothing was heard of it for {Duration.of(silence)}"
    )
    fail_task(tx, task, rules, activity=activity, seq=task.seq, steps=int(task.steps_completed))


def _is_elsewhere(tx: Tx, task: Row, last_heard: LastHeard) -> bool:
    seen = worker_rows.worker_by_uuid(tx, task.worker_uuid).seen_at
    return bool(seen and seen - (last_heard(task.worker_uuid) or 0) > ELSEWHERE)
