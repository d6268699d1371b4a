"""Places for a farm's data: use cases run here, each in a transaction, one after another."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import delete

from flamenco_core.clock import SystemClock
from flamenco_core.domain.events import Event
from flamenco_core.manager.store import tables
from flamenco_core.manager.store.database import open_database
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.sqlite import SqliteDatabase
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.transaction import Tx


class Store(Protocol):
    """What a test does with a farm's data."""

    def empty(self) -> None:
        """Begin a new farm."""

    def write(self, use_case: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run a use case; what it raises undoes it."""

    def read(self, look: Callable[[Tx], Any], /) -> Any:
        """Look at the data."""

    def close(self) -> None:
        """Give back what was opened."""


@cache
def template() -> Any:
    """Return a connection to an empty farm, made by the program's own migrations."""

    async def migrate(path: Path) -> None:
        database = SqliteDatabase(path, SystemClock())
        await database.start(lambda tx: None)
        await database.close()

    memory = dbapi().connect(":memory:", check_same_thread=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "farm"
        asyncio.run(migrate(path))
        file = dbapi().connect(path)
        file.backup(memory)
        file.close()
    return memory


class MemoryStore:
    """The real schema and statements, in memory: a new farm in a millisecond."""

    def __init__(self) -> None:
        self._connection = dbapi().connect(":memory:", isolation_level=None)
        self.now = 1_775_037_600_000_000
        self.events: list[Event] = []
        self.rings: list[Any] = []
        self.empty()

    def empty(self) -> None:
        self._seen: Any = None
        template().backup(self._connection)
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._cursor = self._connection.cursor()

    def write(self, use_case: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.now += 1
        tx = Tx(self._cursor, "sqlite", self.now)
        self._cursor.execute("BEGIN")
        try:
            result = use_case(tx, *args, **kwargs)
        except BaseException:
            self._cursor.execute("ROLLBACK")
            raise
        self._cursor.execute("COMMIT")
        self.events, self.rings = tx.events, tx.rings
        return result

    def read(self, look: Callable[[Tx], Any], /) -> Any:
        # Where no row was touched since the last look, not even one that was put back.
        at = (look, self._connection.total_changes)
        if self._seen is None or self._seen[0] != at:
            self._seen = (at, look(Tx(self._cursor, "sqlite", self.now)))
        return self._seen[1]

    def close(self) -> None:
        self._connection.close()


# Row ids go on where they were: the counters are part of the schema.
_EMPTY = [Query(delete(t)) for t in reversed(tables.metadata.sorted_tables) if t.name != "counters"]


class OpenedStore:
    """A database as a Manager opens it, with all that lies between a use case and a disk."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._database = open_database(url, SystemClock())
        self._runner.run(self._database.start(lambda tx: None))

    def empty(self) -> None:
        def clear(tx: Tx) -> None:
            for query in _EMPTY:
                tx.run(query)

        self.write(clear)

    def write(self, use_case: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return self._runner.run(self._database.write(use_case, *args, **kwargs))

    def read(self, look: Callable[[Tx], Any], /) -> Any:
        return self._runner.run(self._database.read(look))

    def close(self) -> None:
        self._runner.run(self._database.close())
        self._runner.close()
