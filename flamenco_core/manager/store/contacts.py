"""When workers were heard of by any Manager, and which are silent for too long.

Managers measure how long ago they heard of a worker; the database's clock says when that
was. So the clocks of the Managers' machines do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from sqlalchemy import (
    BigInteger,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql import extract

from flamenco_core.manager.store.contact_tables import contacts
from flamenco_core.manager.store.query import Query, literal
from flamenco_core.manager.store.tables import workers
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "AHEAD",
    "Contact",
    "Silence",
    "Silent",
    "expect",
    "find_silent",
    "is_silent",
    "keep_contacts",
    "read_clock",
]

AHEAD = 2_000_000
"""Microseconds: a contact that is further in the future is from before a clock was set."""

_MICROSECONDS = extract("epoch", func.clock_timestamp()) * literal_column("1000000")
_CLOCK = Query(select(cast(_MICROSECONDS, BigInteger)))


def read_clock(tx: Tx) -> int:
    """Return the database's time; a file has none but that of its one Manager."""
    return int(tx.value(_CLOCK)) if tx.dialect == "postgresql" else tx.now


@attrs.frozen(kw_only=True)
class Contact:
    """A worker was heard of *age* ago, and may be silent for *patience* (microseconds)."""

    worker: str
    age: int
    patience: int


_IS_MEANT = and_(workers.c.uuid == bindparam("worker"), workers.c.deleted_at.is_(None))
_HEARD, _GIVEN = (bindparam(name, type_=BigInteger) for name in ("heard", "given"))
_SET = (
    update(contacts)
    .where(contacts.c.worker_id == select(workers.c.id).where(_IS_MEANT).scalar_subquery())
    .values(heard_at=_HEARD, patience=_GIVEN)
)
_KEEP, _CORRECT = Query(_SET), Query(_SET.where(contacts.c.heard_at > _HEARD))
_ADD = Query(
    insert(contacts).from_select(
        ["worker_id", "heard_at", "patience"],
        select(workers.c.id, cast(_HEARD, BigInteger), cast(_GIVEN, BigInteger)).where(
            _IS_MEANT, ~exists().where(contacts.c.worker_id == workers.c.id)
        ),
    )
)


def keep_contacts(tx: Tx, heard: Iterable[Contact]) -> None:
    """Store when workers were heard of; those that are deleted are left out."""
    now = read_clock(tx)
    # In one order: two Managers that store this at the same time wait, and do not deadlock.
    for contact in sorted(heard, key=lambda contact: contact.worker):
        row = {"worker": contact.worker, "heard": now - contact.age, "given": contact.patience}
        if not tx.run(_KEEP, **row):
            tx.run(_ADD, **row)


def expect(tx: Tx, names: Iterable[str], patience: int) -> None:
    """Give workers of which nothing is stored, or only nonsense, a full time-out from now."""
    now = read_clock(tx)
    for name in sorted(names):
        row = {"worker": name, "heard": now, "given": patience}
        if not tx.run(_CORRECT, **row):
            tx.run(_ADD, **row)


@attrs.frozen(kw_only=True)
class Silence:
    """How long a worker was not heard of, and how long it need not be (microseconds)."""

    lasts: int
    patience: int


@attrs.frozen(kw_only=True)
class Silent:
    """What `find_silent` has found, at the database's time ``now`` (microseconds)."""

    now: int
    overdue: dict[str, Silence]
    """Workers that are silent for too long."""
    unknown: list[str]
    """Workers that should be there, and of which nobody knows when they were heard of."""


_UNTIL = contacts.c.heard_at + contacts.c.patience + bindparam("margin", type_=BigInteger)
_IS_OVERDUE = bindparam("now", type_=BigInteger) > _UNTIL
_IS_AHEAD = contacts.c.heard_at > bindparam("latest", type_=BigInteger)
_SHOULD_BE_THERE = and_(
    workers.c.deleted_at.is_(None), workers.c.status.not_in([literal("error"), literal("offline")])
)
_SILENT = Query(
    select(workers.c.uuid, contacts.c.heard_at, contacts.c.patience)
    .join(contacts, contacts.c.worker_id == workers.c.id, isouter=True)
    .where(
        _SHOULD_BE_THERE,
        or_(contacts.c.worker_id.is_(None), _IS_OVERDUE, _IS_AHEAD),
    )
    .order_by(workers.c.id)
)


def find_silent(tx: Tx, margin: int) -> Silent:
    """Return the workers that should be there and are silent, for *margin* more than allowed."""
    now = read_clock(tx)
    rows = tx.all(_SILENT, margin=margin, now=now, latest=now + AHEAD)
    unknown = [row.uuid for row in rows if row.heard_at is None or row.heard_at > now]
    overdue = {
        row.uuid: Silence(lasts=now - row.heard_at, patience=row.patience)
        for row in rows
        if row.heard_at is not None and row.heard_at <= now
    }
    return Silent(now=now, overdue=overdue, unknown=unknown)


_LOCKED = Query(
    select(_UNTIL.label("until"))
    .join(workers, workers.c.id == contacts.c.worker_id)
    .where(workers.c.uuid == bindparam("worker"))
    .with_for_update(of=contacts)
)


def is_silent(tx: Tx, worker: str, margin: int) -> bool:
    """Say whether a worker is silent for too long; nobody can store that it was heard now."""
    row: Any = tx.one(_LOCKED, worker=worker, margin=margin)
    return row is not None and row.until < read_clock(tx)
