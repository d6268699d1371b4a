"""Rows of worker tags."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, insert, select

from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import tags, worker_tags
from flamenco_core.manager.store.transaction import Tx

__all__ = ["all_tags", "insert_tag", "replace_worker_tags", "tag_by_name", "tag_by_uuid"]

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
