"""Rows of the images that are shown."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from flamenco_core.manager.store.image_tables import images
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import jobs, tasks
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "insert_image",
    "newest_in_job",
    "newest_of_farm",
    "newest_of_task",
    "owner_of",
    "remove_outdated",
]

_OWNER = (
    select(tasks.c.id.label("task"), tasks.c.job_id.label("job"))
    .join(jobs, jobs.c.id == tasks.c.job_id)
    .where(
        jobs.c.uuid == bindparam("job"),
        tasks.c.uuid == bindparam("task"),
        # It may have lost its files already: nothing new may come after.
        jobs.c.delete_requested_at.is_(None),
    )
)
_OWNERS = {
    False: Query(_OWNER),
    # Neither of them is deleted until what belongs to them is committed.
    True: Query(_OWNER.with_for_update(read=True, key_share=True)),
}


def owner_of(tx: Tx, job: str, task: str) -> Row | None:
    """Return the row ids ``job`` and ``task``, `None` if that job is gone or going."""
    return tx.one(_OWNERS[tx.shared], job=job, task=task)


_ADD = Query(
    insert(images).values(
        uuid=bindparam("uuid"),
        job_id=bindparam("job"),
        task_id=bindparam("task"),
        frame=bindparam("frame"),
        stored_at=bindparam("now"),
    )
)


def insert_image(tx: Tx, owner: Row, uuid: str, frame: int | None) -> None:
    """Add an image, which is now the newest of its task and job."""
    tx.run(_ADD, uuid=uuid, job=owner.job, task=owner.task, frame=frame, now=tx.now)


_NEWER = images.alias()
_IS_OUTDONE = (
    select(_NEWER.c.id)
    .where(_NEWER.c.task_id == images.c.task_id, _NEWER.c.id > images.c.id)
    .exists()
)
_OUTSIDE = Query(
    select(images.c.id, images.c.uuid, _IS_OUTDONE.label("outdone"))
    .where(images.c.job_id == bindparam("job"))
    .order_by(images.c.id.desc())
    .limit(1)
    .offset(bindparam("keep"))
)
_BEFORE = Query(
    select(images.c.id, images.c.uuid)
    .where(images.c.task_id == bindparam("task"))
    .order_by(images.c.id.desc())
    .limit(1)
    .offset(1)
)
_DELETE = Query(delete(images).where(images.c.id == bindparam("image")))


def remove_outdated(tx: Tx, owner: Row, keep: int) -> list[str]:
    """Remove what a new image makes needless; return their UUIDs.

    The last *keep* of the job stay, and the newest of each task. So with each new image at
    most two can go: the one that leaves the last few, and the one before of the same task.
    """
    edge = tx.one(_OUTSIDE, job=owner.job, keep=keep)
    if edge is None:
        return []
    gone = {edge.id: edge.uuid} if edge.outdone else {}
    before = tx.one(_BEFORE, task=owner.task)
    if before is not None and before.id <= edge.id:
        gone[before.id] = before.uuid
    tx.many(_DELETE, [{"image": id} for id in gone])
    return list(gone.values())


_FACTS = (
    select(
        images.c.uuid,
        images.c.frame,
        images.c.stored_at,
        tasks.c.uuid.label("task_uuid"),
        jobs.c.uuid.label("job_uuid"),
    )
    .join(tasks, tasks.c.id == images.c.task_id)
    .join(jobs, jobs.c.id == images.c.job_id)
    .order_by(images.c.id.desc())
    .limit(bindparam("most"))
)
_OF_FARM = Query(_FACTS)
_JOB = select(jobs.c.id).where(jobs.c.uuid == bindparam("job")).scalar_subquery()
_OF_JOB = Query(_FACTS.where(images.c.job_id == _JOB))
_TASK = select(tasks.c.id).where(tasks.c.uuid == bindparam("task")).scalar_subquery()
_OF_TASK = Query(_FACTS.where(images.c.task_id == _TASK))


def newest_of_farm(tx: Tx) -> Row | None:
    """Return the image that came last."""
    return tx.one(_OF_FARM, most=1)


def newest_in_job(tx: Tx, job: str, most: int = 1) -> list[Row]:
    """Return the last images of a job, the newest first."""
    return tx.all(_OF_JOB, job=job, most=most)


def newest_of_task(tx: Tx, task: str) -> Row | None:
    """Return the last image of a task."""
    return tx.one(_OF_TASK, task=task, most=1)
