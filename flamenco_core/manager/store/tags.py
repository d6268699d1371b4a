"""Rows of worker tags."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, insert, select, update

from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import jobs, tags, worker_tags, workers
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "all_tags",
    "delete_tag",
    "hold_tag",
    "insert_tag",
    "jobs_of_tag",
    "replace_worker_tags",
    "tag_by_name",
    "tag_by_uuid",
    "update_tag",
    "workers_of_tag",
]

_ALL = Query(select(tags).order_by(tags.c.name))
_BY_UUID = Query(select(tags).where(tags.c.uuid == bindparam("uuid")))
_BY_NAME = Query(select(tags).where(tags.c.name == bindparam("name")))
_INSERT = Query(insert(tags).values({column.name: bindparam(column.name) for column in tags.c}))
_REMOVE = Query(delete(worker_tags).where(worker_tags.c.worker_id == bindparam("worker")))
_ADD = Query(insert(worker_tags).values(worker_id=bindparam("worker"), tag_id=bindparam("tag")))


def all_tags(tx: Tx) -> list[Row]:
    """Return all tags, by name."""
    return tx.all(_ALL)


def tag_by_uuid(tx: Tx, uuid: str) -> Row | None:
    """Return a tag."""
    return tx.one(_BY_UUID, uuid=uuid)


def tag_by_name(tx: Tx, name: str) -> Row | None:
    """Return a tag."""
    return tx.one(_BY_NAME, name=name)


def insert_tag(tx: Tx, *, id: int, uuid: str, name: str, description: str) -> None:
    """Insert a tag."""
    tx.run(
        _INSERT,
        id=id,
        uuid=uuid,
        name=name,
        description=description,
        created_at=tx.now,
        updated_at=tx.now,
    )


def replace_worker_tags(tx: Tx, worker: int, tag_ids: Iterable[int]) -> None:
    """Give a worker exactly these tags."""
    tx.run(_REMOVE, worker=worker)
    for tag in tag_ids:
        tx.run(_ADD, worker=worker, tag=tag)


_UPDATE = Query(
    update(tags)
    .where(tags.c.id == bindparam("tag"))
    .values(
        name=bindparam("new_name"), description=bindparam("new_text"), updated_at=bindparam("now")
    )
)
_HOLD = Query(
    select(tags.c.id)
    .where(tags.c.id == bindparam("tag"))
    .with_for_update(read=True, key_share=True)
)
_DELETE = Query(delete(tags).where(tags.c.id == bindparam("tag")))
_JOBS = Query(select(jobs.c.uuid).where(jobs.c.tag_id == bindparam("tag")))
_WORKERS = Query(
    select(workers.c.uuid)
    .join(worker_tags, worker_tags.c.worker_id == workers.c.id)
    .where(worker_tags.c.tag_id == bindparam("tag"))
)


def update_tag(tx: Tx, tag: int, *, name: str, description: str) -> None:
    """Give a tag another name and description."""
    tx.run(_UPDATE, tag=tag, new_name=name, new_text=description, now=tx.now)


def hold_tag(tx: Tx, tag: int) -> bool:
    """Keep a tag from being deleted until this commits; False if it is gone already.

    Whoever ties something to it must hold it: a job of a tag that is no more would wait
    for ever.
    """
    return not tx.shared or tx.value(_HOLD, tag=tag) is not None


def delete_tag(tx: Tx, tag: int) -> None:
    """Delete a tag; its workers lose it."""
    tx.run(_DELETE, tag=tag)


def jobs_of_tag(tx: Tx, tag: int) -> list[str]:
    """Return the UUIDs of the jobs that are for workers with this tag."""
    return [row.uuid for row in tx.all(_JOBS, tag=tag)]


def workers_of_tag(tx: Tx, tag: int) -> list[str]:
    """Return the UUIDs of the workers that have this tag."""
    return [row.uuid for row in tx.all(_WORKERS, tag=tag)]
