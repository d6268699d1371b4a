"""Count the farm's jobs, tasks and workers by status.

Tasks are not looked at one by one: jobs know how many of theirs are done, and what runs or
could run has an index of its own. So it costs the same with ten million finished tasks.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from sqlalchemy import func, select

from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.manager.store.query import Query, literal, one
from flamenco_core.manager.store.tables import jobs, tasks, workers
from flamenco_core.manager.store.transaction import Tx

__all__ = ["FarmCounts", "count_farm"]

_JOBS = Query(select(jobs.c.status, func.count().label("number")).group_by(jobs.c.status))
_WORKERS = Query(
    select(workers.c.status, func.count().label("number"))
    .where(workers.c.deleted_at.is_(None))
    .group_by(workers.c.status)
)
_DONE = ("completed", "failed", "canceled", "paused")
_TASKS = Query(
    select(
        *(
            func.coalesce(func.sum(jobs.c[f"tasks_{word}"]), 0).label(word)
            for word in ("total", *_DONE)
        )
    )
)
_ACTIVE = Query(select(func.count()).select_from(tasks).where(tasks.c.status == literal("active")))
_READY = Query(select(func.count()).select_from(tasks).where(tasks.c.ready == one))


@attrs.frozen(kw_only=True)
class FarmCounts:
    """How many there are of each status; *ready* are tasks that only wait for a worker.

    Soft-failed tasks, which will be tried again, are among the queued ones.
    """

    jobs: Mapping[str, int]
    tasks: Mapping[str, int]
    workers: Mapping[str, int]
    ready: int


def count_farm(tx: Tx) -> FarmCounts:
    """Count the farm as it is now."""
    return FarmCounts(
        jobs=_all(JobStatus) | {row.status: row.number for row in tx.all(_JOBS)},
        tasks=_all(TaskStatus) | _tasks(tx),
        workers=_all(WorkerStatus) | {row.status: row.number for row in tx.all(_WORKERS)},
        ready=tx.value(_READY),
    )


def _tasks(tx: Tx) -> dict[str, int]:
    row = tx.one(_TASKS)
    assert row is not None  # sums have one row
    # PostgreSQL adds whole numbers up to a decimal.
    counts = {word: int(getattr(row, word)) for word in _DONE}
    counts["active"] = tx.value(_ACTIVE)
    counts["queued"] = int(row.total) - sum(counts.values())
    return counts


def _all(kind: type[JobStatus] | type[TaskStatus] | type[WorkerStatus]) -> dict[str, int]:
    # Also those that there are none of: a graph needs its zeros.
    return {member.value: 0 for member in kind if member.value != "soft-failed"}
