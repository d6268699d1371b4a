"""Make, change and delete tags; give them to workers and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from sqlalchemy import bindparam, update

from flamenco_core.domain.events import JobUpdated, TagChanged, TagDeleted, TagFacts, WorkerUpdated
from flamenco_core.errors import BadRequest, NotFound, UnknownTag
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.ids import next_ids
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import jobs
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.tag_sleep import follow_tags

__all__ = ["create_tag", "delete_tag", "get_tag", "set_job_tag", "set_worker_tags", "update_tag"]


def create_tag(tx: Tx, uuid: str, name: str, description: str) -> Row:
    """Make a tag; raises `BadRequest` for a name or id that is taken, or an empty name."""
    _require_name(name)
    if tag_rows.tag_by_name(tx, name) or tag_rows.tag_by_uuid(tx, uuid):
        raise BadRequest(f"there is already a tag with the name {name!r} or the id {uuid}")
    tag_rows.insert_tag(tx, id=next_ids(tx, "tags"), uuid=uuid, name=name, description=description)
    row = get_tag(tx, uuid)
    tx.emit(TagChanged(_facts(row)))
    return row


def _require_name(name: str) -> None:
    if not name.strip():
        raise BadRequest("a tag needs a name")


def _facts(row: Row) -> TagFacts:
    return TagFacts(id=row.uuid, name=row.name, description=row.description)


def get_tag(tx: Tx, uuid: str) -> Row:
    """Return a tag; raises `NotFound`."""
    row = tag_rows.tag_by_uuid(tx, uuid)
    if row is None:
        raise NotFound(f"there is no worker tag {uuid}")
    return row


def update_tag(tx: Tx, uuid: str, name: str, description: str | None) -> None:
    """Give a tag another name; its description only if one is given.

    Raises `NotFound`, or `BadRequest` for a name that is empty or another tag's.
    """
    _require_name(name)
    row = get_tag(tx, uuid)
    other = tag_rows.tag_by_name(tx, name)
    if other is not None and other.id != row.id:
        raise BadRequest(f"there is already a tag with the name {name!r}")
    text = row.description if description is None else description
    tag_rows.update_tag(tx, row.id, name=name, description=text)
    tx.emit(TagChanged(TagFacts(id=uuid, name=name, description=text)))


def delete_tag(tx: Tx, uuid: str, zone: tzinfo | None = None) -> None:
    """Delete a tag: its jobs are for all workers from now on. Raises `NotFound`."""
    row = get_tag(tx, uuid)
    idle = tag_rows.workers_of_tag(tx, row.id)
    # First, which waits for those who hold it: their jobs are seen then.
    tag_rows.delete_tag(tx, row.id)
    for job in tag_rows.jobs_of_tag(tx, row.id):
        _tie(tx, job, 0)
    tx.emit(TagDeleted(uuid))
    for worker in sorted(idle):
        follow_tags(tx, worker, zone)
        tx.wake(worker)


_SET_TAG = Query(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(tag_id=bindparam("tag"), updated_at=bindparam("now"))
)


def set_job_tag(tx: Tx, job_id: str, tag_id: str | None, name: str | None) -> None:
    """Tie a job to the workers with a tag; the id wins over the name, neither unties it.

    Running tasks are left alone. Raises `NotFound`, or `UnknownTag`.
    """
    row = None
    if tag_id:
        row = tag_rows.tag_by_uuid(tx, tag_id.lower())
    elif name:
        row = tag_rows.tag_by_name(tx, name)
    if (tag_id or name) and (row is None or not tag_rows.hold_tag(tx, row.id)):
        raise UnknownTag(
            f"there is no worker tag {tag_id or name!r}; 'flamenco apply' makes tags, from a file"
        )
    _tie(tx, job_id, row.id if row else 0)


def _tie(tx: Tx, job_id: str, tag: int) -> None:
    job = job_rows.lock_job(tx, job_id)
    tx.run(_SET_TAG, job=job.id, tag=tag, now=tx.now)
    lane_rows.set_job_tag(tx, job.id, tag)
    if job.runs:
        lane_rows.reopen(tx, job.id)
    tx.emit(JobUpdated(job_rows.job_facts(tx, job)))


def set_worker_tags(
    tx: Tx, worker_id: str, tag_ids: Sequence[str], zone: tzinfo | None = None
) -> None:
    """Give a worker exactly these tags; unknown ones are passed over, as in Flamenco.

    *zone* is that of sleep schedules that name none: it may follow another one now.
    """
    row = worker_rows.lock_worker(tx, worker_id)
    found = (tag_rows.tag_by_uuid(tx, uuid) for uuid in dict.fromkeys(tag_ids))
    tag_rows.replace_worker_tags(tx, row.id, [tag.id for tag in found if tag])
    tx.emit(WorkerUpdated(worker_rows.worker_facts(row, updated=tx.now)))
    follow_tags(tx, worker_id, zone)
    # An idle worker waits at the pools of its old tags: let it ask again.
    tx.wake(worker_id)
