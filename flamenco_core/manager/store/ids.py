"""Row ids, reserved before rows are inserted.

With known ids, ten thousand tasks and their dependencies go in with one statement each;
asking the database for them row by row takes ten times as long.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import counters
from flamenco_core.manager.store.transaction import Tx

__all__ = ["COUNTED", "next_ids"]

COUNTED = ("jobs", "lanes", "tasks", "workers", "tags")
"""Tables whose ids come from here; the first migration made a counter for each."""

_RESERVE = Query(
    update(counters)
    .where(counters.c.name == bindparam("counter"))
    .values(value=counters.c.value + bindparam("count"))
    .returning(counters.c.value)
)
READ_ALL = Query(select(counters.c.name, counters.c.value))


def next_ids(tx: Tx, table: str, count: int = 1) -> int:
    """Reserve *count* ids of *table*; return the first."""
    last: int = tx.value(_RESERVE, counter=table, count=count)
    return last - count + 1
