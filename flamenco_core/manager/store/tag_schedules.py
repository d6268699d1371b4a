"""Rows of the sleep schedules of tags."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from flamenco_core.manager.store.care_tables import tag_schedules
from flamenco_core.manager.store.query import Query, one
from flamenco_core.manager.store.sleep import StoredSchedule, as_stored, as_texts
from flamenco_core.manager.store.tables import tags, worker_tags
from flamenco_core.manager.store.transaction import Tx

__all__ = ["first_of_worker", "remove_tag_schedule", "save_tag_schedule", "tag_schedule_of"]

NOBODY = 0
"""Such a schedule is no worker's; its ``tag_id`` says whose it is."""

_OF_TAG = Query(select(tag_schedules).where(tag_schedules.c.tag_id == bindparam("tag")))
_FIRST = Query(
    select(tag_schedules)
    .join(worker_tags, worker_tags.c.tag_id == tag_schedules.c.tag_id)
    .join(tags, tags.c.id == tag_schedules.c.tag_id)
    .where(worker_tags.c.worker_id == bindparam("worker"))
    .order_by(tags.c.name)
    .limit(one)
)
_REMOVE = Query(delete(tag_schedules).where(tag_schedules.c.tag_id == bindparam("tag")))
_ADD = Query(insert(tag_schedules).values({c.name: bindparam(c.name) for c in tag_schedules.c}))


def tag_schedule_of(tx: Tx, tag: int) -> StoredSchedule | None:
    """Return a tag's schedule, if it has one."""
    row = tx.one(_OF_TAG, tag=tag)
    return as_stored(row, worker_id=NOBODY) if row else None


def first_of_worker(tx: Tx, worker: int) -> StoredSchedule | None:
    """Return the schedule that a worker has through its tags: that of the first by name."""
    row = tx.one(_FIRST, worker=worker)
    return as_stored(row, worker_id=worker) if row else None


def save_tag_schedule(tx: Tx, stored: StoredSchedule) -> None:
    """Store a tag's schedule."""
    tx.run(_REMOVE, tag=stored.tag_id)
    tx.run(_ADD, **as_texts(stored))


def remove_tag_schedule(tx: Tx, tag: int) -> None:
    """Let a tag have no schedule."""
    tx.run(_REMOVE, tag=tag)
