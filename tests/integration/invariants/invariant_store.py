"""The real schema and statements, in memory: a new farm in a millisecond."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from flamenco_core.clock import SystemClock
from flamenco_core.domain.events import Event
from flamenco_core.manager.store.sqlite import SqliteDatabase
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.transaction import Tx


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
    """Runs use cases, each in a transaction, one after another."""

    def __init__(self) -> None:
        self._connection = dbapi().connect(":memory:", isolation_level=None)
        template().backup(self._connection)
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._cursor = self._connection.cursor()
        self.now = 1_775_037_600_000_000
        self.events: list[Event] = []
        self.rings: list[Any] = []

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

    def close(self) -> None:
        self._connection.close()
