"""One transaction, as use cases see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table

from flamenco_core.domain.events import Event
from flamenco_core.manager.store.query import Query, Row

__all__ = ["Pool", "Tx"]

Pool = tuple[int, str]
"""Which workers may do something: tag id (0 for none) and task type."""


class Tx:
    """A transaction: statements now, events and wake-ups after the commit.

    ``now`` is one moment for the whole transaction. ``events`` are told, and idle workers
    woken, only if it commits. ``shared`` says whether other transactions write at the same
    time, so that rows must be locked.
    """

    __slots__ = ("_cursor", "dialect", "events", "now", "rings", "shared", "woken")

    def __init__(self, cursor: Any, dialect: str, now: int, *, shared: bool = False) -> None:
        self._cursor = cursor
        self.dialect = dialect
        self.now = now
        self.shared = shared
        self.events: list[Event] = []
        self.rings: list[tuple[Pool, int]] = []
        self.woken: list[str] = []

    def run(self, query: Query, /, **values: Any) -> int:
        """Run a statement; return how many rows it changed."""
        text, bind = query.text(self.dialect)
        self._cursor.execute(text, bind(values))
        return int(self._cursor.rowcount)

    def many(self, query: Query, rows: Iterable[dict[str, Any]], /) -> None:
        """Run a statement for each of *rows*."""
        text, bind = query.text(self.dialect)
        self._cursor.executemany(text, [bind(row) for row in rows])

    def fill(self, table: Table, rows: Sequence[Sequence[Any]], *columns: str) -> None:
        """Insert many rows, as fast as the database can; *columns* name the values of each."""
        names = ", ".join(columns)
        if self.shared:
            with self._cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(columns))
            text = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608
            self._cursor.executemany(text, rows)

    def one(self, query: Query, /, **values: Any) -> Row | None:
        """Run a statement; return its first row."""
        text, bind = query.text(self.dialect)
        self._cursor.execute(text, bind(values))
        row = self._cursor.fetchone()
        return None if row is None else query.row(self.dialect, self._cursor)(row)

    def all(self, query: Query, /, **values: Any) -> list[Row]:
        """Run a statement; return all its rows."""
        text, bind = query.text(self.dialect)
        self._cursor.execute(text, bind(values))
        rows = self._cursor.fetchall()
        if not rows:
            return []
        return [*map(query.row(self.dialect, self._cursor), rows)]

    def value(self, query: Query, /, **values: Any) -> Any:
        """Run a statement; return the first column of its first row, or `None`."""
        row = self.one(query, **values)
        return None if row is None else row[0]

    def emit(self, event: Event) -> None:
        """Tell *event* once this is committed."""
        self.events.append(event)

    def ring(self, pool: Pool, count: int = 1) -> None:
        """Wake up to *count* idle workers of *pool* once this is committed."""
        self.rings.append((pool, count))

    def wake(self, worker: str) -> None:
        """Let the worker with this UUID ask again once this is committed."""
        self.woken.append(worker)
