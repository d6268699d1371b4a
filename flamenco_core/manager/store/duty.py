"""A duty, as long as one Manager has it; whatever it asks of the database is checked.

Who has a duty holds a session lock on its line. A Manager that was frozen does not know
that others have ended that session and that one of them has the duty now. So a transaction
that belongs to a duty looks first whether the session still has the lock, and holds a lock
of its own from before that look until its end. Who takes the duty over waits for the latter:
no transaction of the one before can end after the first of the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import attrs
from sqlalchemy import Text, and_, bindparam, cast, column, func, literal_column, or_, select, table
from sqlalchemy.dialects.postgresql import OID

from flamenco_core.errors import DutyLost
from flamenco_core.manager.store.query import Query, literal
from flamenco_core.manager.store.transaction import Tx

__all__ = ["DUTY", "FENCE", "THERE", "Tenure", "fenced", "in_office"]

THERE, DUTY, FENCE = 0x666C_0002, 0x666C_0003, 0x666C_0004
"""PostgreSQL's first number of the locks: of a Manager that is there, of a duty, and of a
transaction that belongs to one."""


@attrs.frozen(kw_only=True)
class Tenure:
    """A duty that one session has, or had; both numbers are the session's."""

    duty: str
    process: int
    """The server's process."""
    manager: int
    """What the Manager is called on the line: never the same one again."""


_tenure: ContextVar[Tenure | None] = ContextVar("flamenco_tenure", default=None)


@contextmanager
def in_office(tenure: Tenure) -> Iterator[None]:
    """Let all transactions that are asked for in here belong to a duty."""
    token = _tenure.set(tenure)
    try:
        yield
    finally:
        _tenure.reset(token)


def fenced(fn: Callable[[Tx], Any]) -> Callable[[Tx], Any]:
    """Return what does as *fn* in a transaction, and raises `DutyLost` if that is so."""
    tenure = _tenure.get()
    if tenure is None:
        return fn

    def checked(tx: Tx) -> Any:
        _require(tx, tenure)
        return fn(tx)

    return checked


_HASH = func.hashtext(cast(bindparam("duty"), Text))
_locks = table("pg_locks", *map(column, ("pid", "locktype", "classid", "objid", "granted")))


def _is_lock(kind: int, number: Any) -> Any:
    return and_(_locks.c.classid == literal_column(str(kind)), _locks.c.objid == cast(number, OID))


_ENTER = Query(select(func.pg_advisory_xact_lock_shared(literal_column(str(FENCE)), _HASH)))
_HELD = Query(
    select(func.count()).where(
        _locks.c.pid == bindparam("process"),
        _locks.c.locktype == literal("advisory"),
        _locks.c.granted,
        or_(_is_lock(THERE, bindparam("manager")), _is_lock(DUTY, _HASH)),
    )
)


def _require(tx: Tx, tenure: Tenure) -> None:
    tx.one(_ENTER, duty=tenure.duty)
    if tx.value(_HELD, **attrs.asdict(tenure)) != len((THERE, DUTY)):
        raise DutyLost(
            f"another Manager has the duty {tenure.duty!r} now; this one did nothing of it"
        )
