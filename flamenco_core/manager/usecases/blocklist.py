"""Show which workers get no more tasks of a type from a job, and let them again."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, select

from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import blocks, jobs, workers
from flamenco_core.manager.store.transaction import Tx

__all__ = ["blocklist_of", "remove_from_blocklist"]

_OF_JOB = Query(
    select(workers.c.uuid, workers.c.name, blocks.c.task_type)
    .select_from(blocks)
    .join(jobs, jobs.c.id == blocks.c.job_id)
    .join(workers, workers.c.id == blocks.c.worker_id)
    .where(jobs.c.uuid == bindparam("job"))
    .order_by(workers.c.name, workers.c.id, blocks.c.task_type)
)
_WORKER = select(workers.c.id).where(workers.c.uuid == bindparam("worker")).scalar_subquery()
_REMOVE = Query(
    delete(blocks).where(
        blocks.c.job_id == bindparam("job"),
        blocks.c.worker_id == _WORKER,
        blocks.c.task_type == bindparam("task_type"),
    )
)


def blocklist_of(tx: Tx, job_id: str) -> list[Row]:
    """Return a job's blocklist by worker name; an unknown job has an empty one."""
    return tx.all(_OF_JOB, job=job_id)


def remove_from_blocklist(tx: Tx, job_id: str, entries: Iterable[tuple[str, str]]) -> None:
    """Let workers (UUIDs) have tasks of a type from a job again.

    What is not on the list is passed over. Raises `NotFound` for an unknown job.
    """
    job = job_rows.lock_job(tx, job_id)
    for worker, task_type in entries:
        tx.run(_REMOVE, job=job.id, worker=worker, task_type=task_type.lower())
        # An idle worker may be waiting for just this.
        tx.wake(worker)
    if job.runs:
        lane_rows.reopen(tx, job.id)
