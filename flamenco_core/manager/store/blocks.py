"""Rows of blocklists: which worker gets no more tasks of which type from which job.

An entry whose time is over does not count any more: a duty removes it within a second. Claims
do not compare times. They find out from the index alone, which is twice as fast.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, delete, exists, insert, select

from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import NEVER, blocks, jobs, workers
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "IN_FORCE",
    "blocked",
    "blocks_of_job",
    "blocks_of_worker",
    "expired_jobs",
    "insert_block",
    "remove_block",
]

IN_FORCE = blocks.c.expires_at > bindparam("now")


def blocked(job: Any, worker: Any, task_type: Any) -> Any:
    """Return the condition that a worker is on a job's blocklist."""
    return exists().where(
        blocks.c.job_id == job,
        blocks.c.worker_id == worker,
        blocks.c.task_type == task_type,
    )


_THIS = (
    blocks.c.job_id == bindparam("job"),
    blocks.c.worker_id == bindparam("worker"),
    blocks.c.task_type == bindparam("task_type"),
)
_IS_THERE = Query(select(blocks.c.job_id).where(*_THIS, IN_FORCE))
_REMOVE = Query(delete(blocks).where(*_THIS))
_INSERT = Query(insert(blocks).values({c.name: bindparam(c.name) for c in blocks.c}))


def insert_block(
    tx: Tx,
    *,
    job: int,
    worker: int,
    task_type: str,
    reason: str,
    added_by: str = "",
    expires_at: int = NEVER,
    replace: bool = False,
) -> bool:
    """Block a worker; one that is blocked already stays as it is, unless *replace*.

    The job must be locked. Return whether anything was changed.
    """
    key = {"job": job, "worker": worker, "task_type": task_type}
    if not replace and tx.one(_IS_THERE, now=tx.now, **key):
        return False
    tx.run(_REMOVE, **key)
    tx.run(
        _INSERT,
        job_id=job,
        worker_id=worker,
        task_type=task_type,
        reason=reason,
        created_at=tx.now,
        added_by=added_by,
        expires_at=expires_at,
    )
    return True


def remove_block(tx: Tx, *, job: int, worker: int, task_type: str) -> bool:
    """Take a worker off a job's blocklist; return whether it was on it."""
    return tx.run(_REMOVE, job=job, worker=worker, task_type=task_type) > 0


_SHOWN = select(
    blocks.c.job_id,
    blocks.c.worker_id,
    blocks.c.task_type,
    blocks.c.reason,
    blocks.c.created_at,
    blocks.c.added_by,
    blocks.c.expires_at,
    jobs.c.uuid.label("job_uuid"),
    jobs.c.name.label("job_name"),
    jobs.c.status.label("job_status"),
    workers.c.uuid.label("worker_uuid"),
    workers.c.name.label("worker_name"),
).select_from(
    blocks.join(jobs, jobs.c.id == blocks.c.job_id).join(
        workers, workers.c.id == blocks.c.worker_id
    )
)
_OF_JOB = Query(
    _SHOWN.where(jobs.c.uuid == bindparam("job")).order_by(
        workers.c.name, workers.c.id, blocks.c.task_type
    )
)
_OF_WORKER = Query(
    _SHOWN.where(blocks.c.worker_id == bindparam("worker")).order_by(
        blocks.c.job_id, blocks.c.task_type
    )
)
_EXPIRED = Query(
    select(jobs.c.uuid)
    .join(blocks, blocks.c.job_id == jobs.c.id)
    .where(blocks.c.expires_at <= bindparam("now"))
    .distinct()
)


def blocks_of_job(tx: Tx, job: str) -> list[Row]:
    """Return the blocklist of the job with this UUID, with the names of jobs and workers."""
    return tx.all(_OF_JOB, job=job)


def blocks_of_worker(tx: Tx, worker: int) -> list[Row]:
    """Return the same for one worker, of all jobs."""
    return tx.all(_OF_WORKER, worker=worker)


def expired_jobs(tx: Tx) -> list[str]:
    """Return the UUIDs of the jobs with entries whose time is over."""
    return [row.uuid for row in tx.all(_EXPIRED, now=tx.now)]
