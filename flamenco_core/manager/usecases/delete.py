"""Delete jobs: first they are marked, then they go, with all that they own."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from flamenco_core.domain.events import JobDeleted, JobUpdated
from flamenco_core.errors import NothingFits
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.retention_table import retention
from flamenco_core.manager.store.tables import jobs, tasks
from flamenco_core.manager.store.transaction import Tx

__all__ = ["delete_job", "delete_some_tasks", "request_deletion", "request_deletions", "requested"]

PART = 2_000
"""So many tasks are deleted at a time: others want to write as well."""

_MARK = Query(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(delete_requested_at=bindparam("now"), updated_at=bindparam("now"))
)


def request_deletion(tx: Tx, job_id: str) -> None:
    """Mark a job: nothing of it is given out any more, and it will be deleted.

    Tasks that run are left alone; their workers hear that there is no such task when it is
    gone. Once marked is enough. Raises `NotFound`.
    """
    job = job_rows.lock_job(tx, job_id)
    if job.delete_requested_at is not None:
        return
    tx.run(_MARK, job=job.id, now=tx.now)
    lane_rows.close_all(tx, job.id)
    job.delete_requested_at = tx.now
    tx.emit(JobUpdated(job_rows.job_facts(tx, job)))


_UNCHANGED = Query(
    select(jobs.c.uuid)
    .where(jobs.c.updated_at <= bindparam("latest"), jobs.c.delete_requested_at.is_(None))
    .order_by(jobs.c.id)
)


def request_deletions(tx: Tx, latest: int) -> int:
    """Mark all jobs that have not changed after *latest* (microseconds); return how many.

    Raises `NothingFits` if there are none.
    """
    found = tx.all(_UNCHANGED, latest=latest)
    if not found:
        raise NothingFits("no job has been unchanged for so long; nothing is deleted")
    for row in found:
        request_deletion(tx, row.uuid)
    return len(found)


_REQUESTED = Query(
    select(jobs.c.uuid, jobs.c.shaman_checkout_id, retention.c.archive)
    .join(retention, retention.c.job_id == jobs.c.id, isouter=True)
    .where(jobs.c.delete_requested_at.is_not(None))
    .order_by(jobs.c.delete_requested_at, jobs.c.id)
)


def requested(tx: Tx) -> list[Row]:
    """Return the UUIDs of the marked jobs, the ids of their checkouts, whether to archive."""
    return tx.all(_REQUESTED)


_SOME_TASKS = Query(
    delete(tasks).where(
        tasks.c.id.in_(
            select(tasks.c.id)
            .join(jobs, jobs.c.id == tasks.c.job_id)
            .where(jobs.c.uuid == bindparam("uuid"), jobs.c.delete_requested_at.is_not(None))
            .limit(bindparam("most"))
        )
    )
)


def delete_some_tasks(tx: Tx, job_id: str) -> bool:
    """Delete a part of a marked job's tasks; return whether there may be more."""
    return tx.run(_SOME_TASKS, uuid=job_id, most=PART) == PART


_DELETE = Query(
    delete(jobs).where(jobs.c.uuid == bindparam("uuid"), jobs.c.delete_requested_at.is_not(None))
)


def delete_job(tx: Tx, job_id: str) -> None:
    """Delete a marked job with all its rows, and tell of it."""
    if tx.run(_DELETE, uuid=job_id):
        tx.emit(JobDeleted(job_id))
