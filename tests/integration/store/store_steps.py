"""What the tests of transactions do in one."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select

from flamenco_core.domain.events import JobDeleted
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import counters
from flamenco_core.manager.store.transaction import Tx

ADD = Query(insert(counters).values(name=bindparam("given"), value=1))
_ALL = Query(select(counters.c.name).where(counters.c.value == 1).order_by(counters.c.name))


def add(tx: Tx, name: str) -> str:
    """Store a name, and tell of it."""
    tx.run(ADD, given=name)
    tx.emit(JobDeleted(name))
    return name.upper()


def add_and_fail(tx: Tx, name: str) -> None:
    add(tx, name)
    raise LookupError(name)


def names(tx: Tx) -> list[str]:
    return [row.name for row in tx.all(_ALL)]
