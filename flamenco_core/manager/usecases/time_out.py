"""Fail the run of a task of which nothing is heard any more, or which takes too long."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from flamenco_core.config import Duration
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import attempts, lanes, tasks
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.fail import fail_task
from flamenco_core.manager.usecases.rules import Rules

__all__ = ["LastHeard", "active_runs", "fail_long_run", "fail_silent_task"]

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


_RUNS = Query(
    select(tasks.c.uuid, attempts.c.epoch, lanes.c.task_type)
    .join(tasks, tasks.c.id == attempts.c.task_id)
    .join(lanes, lanes.c.id == tasks.c.lane_id)
    .where(attempts.c.ended_at.is_(None))
)


def active_runs(tx: Tx) -> list[Row]:
    """Return task, epoch and task type of all that workers are at work on."""
    return tx.all(_RUNS)


def fail_long_run(tx: Tx, task_id: str, epoch: int, limit: float, rules: Rules) -> None:
    """Count a run as failed that takes longer than *limit* (seconds).

    Another run of the task, or none, stays as it is. Raises `NotFound`.
    """
    task = task_rows.reported_task(tx, task_id, whole_job=True)
    if task.status != TaskStatus.ACTIVE or task.epoch != epoch:
        return
    activity = (
        f"Task timed out on worker {task.worker_name} ({task.worker_uuid}): it ran for longer"
        f" than {Duration.of(limit)}, the limit for tasks of type {task.type!r}"
    )
    fail_task(tx, task, rules, activity=activity, seq=task.seq, steps=int(task.steps_completed))
