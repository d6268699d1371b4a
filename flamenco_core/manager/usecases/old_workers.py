"""Remove workers that were not heard of for long, and bring them back."""

from __future__ import annotations

import attrs
from sqlalchemy import and_, bindparam, delete, func, insert, null, or_, select, update

from flamenco_core.domain.events import WorkerRemovalAnnounced, WorkerUpdated
from flamenco_core.errors import NotFound
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.care_tables import worker_removals
from flamenco_core.manager.store.query import Query, Row, literal, zero
from flamenco_core.manager.store.tables import workers
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.workers import delete_worker

__all__ = [
    "Due",
    "announce_removal",
    "due_removals",
    "keep_worker",
    "remove_old_worker",
    "removed_workers",
    "restore_worker",
]

DAY = 24 * 3600 * 1_000_000
"""Microseconds; so long people know of it before a worker is removed."""


@attrs.frozen(kw_only=True)
class Due:
    """UUIDs of workers: to tell people of, to remove, and not to remove after all."""

    announce: list[str]
    remove: list[str]
    keep: list[str]


_LAST_CALL = func.coalesce(workers.c.seen_at, workers.c.created_at)
_RESTORED = func.coalesce(worker_removals.c.restored_at, zero)
_AWAY = and_(
    workers.c.status.in_([literal("offline"), literal("error")]),
    bindparam("before") >= _LAST_CALL,
    bindparam("before") >= _RESTORED,
)
_KNOWN = (
    select(workers.c.uuid, _AWAY.label("is_away"), worker_removals.c.noticed_at)
    .join(worker_removals, worker_removals.c.worker_id == workers.c.id, isouter=True)
    .where(
        workers.c.deleted_at.is_(None),
        or_(_AWAY, worker_removals.c.noticed_at.is_not(None)),
    )
    .order_by(workers.c.id)
)
_ALL = Query(_KNOWN)
_ONE = Query(_KNOWN.where(workers.c.uuid == bindparam("worker")))


def due_removals(tx: Tx, days: int) -> Due:
    """Return what is to be done about workers not heard of for *days*. Changes nothing."""
    rows = tx.all(_ALL, before=_told_before(tx, days))
    return Due(
        announce=[row.uuid for row in rows if row.is_away and row.noticed_at is None],
        remove=[row.uuid for row in rows if _is_over(tx, row)],
        keep=[row.uuid for row in rows if not row.is_away],
    )


def _told_before(tx: Tx, days: int) -> int:
    return tx.now - (days - 1) * DAY


def _is_over(tx: Tx, row: Row) -> bool:
    return bool(row.is_away) and row.noticed_at is not None and row.noticed_at + DAY <= tx.now


_FORGET = Query(delete(worker_removals).where(worker_removals.c.worker_id == bindparam("worker")))
_NOTE = Query(
    insert(worker_removals).values(
        worker_id=bindparam("worker"),
        noticed_at=bindparam("noticed", type_=worker_removals.c.noticed_at.type),
        restored_at=bindparam("restored", type_=worker_removals.c.restored_at.type),
    )
)
_REMOVED = Query(
    update(worker_removals)
    .where(worker_removals.c.worker_id == bindparam("worker"))
    .values(removed_at=bindparam("now"))
)


def announce_removal(tx: Tx, worker_id: str, days: int) -> Row | None:
    """Tell people that a worker is removed in a day; return it, `None` if it has called."""
    row = worker_rows.find_worker(tx, worker_id)
    known = tx.one(_ONE, worker=worker_id, before=_told_before(tx, days))
    if row is None or known is None or not known.is_away or known.noticed_at is not None:
        return None
    tx.run(_FORGET, worker=row.id)
    tx.run(_NOTE, worker=row.id, noticed=tx.now, restored=None)
    facts = worker_rows.worker_facts(row)
    tx.emit(WorkerRemovalAnnounced(worker=facts, removal_at=tx.now + DAY))
    return row


def remove_old_worker(tx: Tx, worker_id: str, days: int, rules: Rules) -> Row | None:
    """Remove a worker of which people were told; return it, `None` if it has called.

    Its row stays, so what it has done still has its name, and it can come back.
    """
    row = worker_rows.find_worker(tx, worker_id)
    known = tx.one(_ONE, worker=worker_id, before=_told_before(tx, days))
    if row is None or known is None or not _is_over(tx, known):
        return None
    delete_worker(tx, worker_id, rules)
    tx.run(_REMOVED, worker=row.id, now=tx.now)
    return row


def keep_worker(tx: Tx, worker_id: str) -> None:
    """Take back that a worker will be removed."""
    row = worker_rows.find_worker(tx, worker_id)
    if row is not None:
        tx.run(_FORGET, worker=row.id)


# -- back again ----------------------------------------------------------------------------

_DELETED = Query(
    select(workers)
    .where(workers.c.uuid == bindparam("worker"), workers.c.deleted_at.is_not(None))
    .with_for_update(of=workers, key_share=True)
)
_ALL_DELETED = Query(
    select(workers).where(workers.c.deleted_at.is_not(None)).order_by(workers.c.deleted_at.desc())
)
_RESTORE = Query(
    update(workers).where(workers.c.id == bindparam("worker")).values(deleted_at=null())
)


def removed_workers(tx: Tx) -> list[Row]:
    """Return the workers that were deleted, by people or the farm, the last one first."""
    return tx.all(_ALL_DELETED)


def restore_worker(tx: Tx, worker_id: str) -> None:
    """Bring a worker back, with its name, secret, tags and history.

    One that is there is left as it is. Raises `NotFound` for one that never was.
    """
    row = tx.one(_DELETED, worker=worker_id)
    if row is None:
        if worker_rows.find_worker(tx, worker_id) is None:
            raise NotFound(f"there has never been a worker {worker_id}")
        return
    tx.run(_RESTORE, worker=row.id)
    tx.run(_FORGET, worker=row.id)
    tx.run(_NOTE, worker=row.id, noticed=None, restored=tx.now)
    tx.emit(WorkerUpdated(worker_rows.worker_facts(row, updated=tx.now)))
