"""Remember which job got an image last, on the whole farm."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select, update

from flamenco_core.domain.events import LastRenderedChanged
from flamenco_core.manager.store.query import Query, literal
from flamenco_core.manager.store.tables import counters, jobs
from flamenco_core.manager.store.transaction import Tx

__all__ = ["newest_image", "remember_image"]

# A number by name, like the last ids: a table for one number of one row would be no better.
_NAME = "last-rendered"
# A job that is being deleted may have lost its files already: nothing new may come after.
_JOB = Query(
    select(jobs.c.id).where(jobs.c.uuid == bindparam("uuid"), jobs.c.delete_requested_at.is_(None))
)
_CHANGE = Query(
    update(counters).where(counters.c.name == literal(_NAME)).values(value=bindparam("job"))
)
_ADD = Query(insert(counters).values(name=literal(_NAME), value=bindparam("job")))
_NEWEST = Query(
    select(jobs.c.uuid)
    .join(counters, counters.c.value == jobs.c.id)
    .where(counters.c.name == literal(_NAME))
)


def remember_image(tx: Tx, job: str, task: str) -> bool:
    """Note that a job has a new image, made by *task*; say whether there is such a job."""
    id = tx.value(_JOB, uuid=job)
    if id is None:
        return False
    if not tx.run(_CHANGE, job=id):
        tx.run(_ADD, job=id)
    tx.emit(LastRenderedChanged(job_id=job, task_id=task))
    return True


def newest_image(tx: Tx) -> str | None:
    """Return the UUID of the job that got an image last, if it is still there."""
    job: str | None = tx.value(_NEWEST)
    return job
