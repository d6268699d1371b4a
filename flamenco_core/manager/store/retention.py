"""Rows that say how long jobs are kept."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.retention_table import retention
from flamenco_core.manager.store.tables import jobs, tags
from flamenco_core.manager.store.transaction import Tx

__all__ = ["all_of_jobs", "of_job", "save"]

_JOBS = (
    select(
        jobs.c.id,
        jobs.c.uuid,
        jobs.c.name,
        jobs.c.type,
        jobs.c.status,
        jobs.c.metadata,
        jobs.c.updated_at,
        tags.c.name.label("tag_name"),
        retention.c.keep,
        retention.c.seconds,
        retention.c.archive,
    )
    .join(tags, tags.c.id == jobs.c.tag_id, isouter=True)
    .join(retention, retention.c.job_id == jobs.c.id, isouter=True)
)
_ALL = Query(_JOBS.where(jobs.c.delete_requested_at.is_(None)).order_by(jobs.c.id))
_OF_JOB = Query(_JOBS.where(jobs.c.uuid == bindparam("uuid")))
_FORGET = Query(delete(retention).where(retention.c.job_id == bindparam("job")))
_SAVE = Query(insert(retention).values({c.name: bindparam(c.name) for c in retention.c}))


def all_of_jobs(tx: Tx) -> list[Row]:
    """Return what decides how long they are kept, of all jobs that are not being deleted."""
    return tx.all(_ALL)


def of_job(tx: Tx, uuid: str) -> Row | None:
    """Return the same of one job, if there is such a job."""
    return tx.one(_OF_JOB, uuid=uuid)


def save(tx: Tx, job: int, *, keep: bool, seconds: int | None, archive: bool) -> None:
    """Store what is said of a job; nothing at all needs no row."""
    tx.run(_FORGET, job=job)
    if keep or seconds is not None or archive:
        tx.run(_SAVE, job_id=job, keep=int(keep), seconds=seconds, archive=int(archive))
