"""SQLite: one writer that commits in groups, readers beside it.

All writes go through one connection, so there is never a wait for a lock; see
`sqlite_writer`. ``synchronous=FULL``: an answer is only given for what survives a power
cut.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from flamenco_core.clock import Clock
from flamenco_core.errors import DatabaseError
from flamenco_core.manager.store.batches import Batches
from flamenco_core.manager.store.database import Deliver
from flamenco_core.manager.store.migrate import upgrade
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.sqlite_writer import PATIENCE, SqliteWriter, in_words
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.platform import lock_file

__all__ = ["SqliteDatabase"]

READERS = 2
STATEMENTS = 512
"""So many compiled statements are kept; the program has fewer."""


class SqliteDatabase:
    """A SQLite file."""

    dialect = "sqlite"

    def __init__(self, path: str | Path, clock: Clock) -> None:
        self.path = Path(path).resolve()
        self._clock = clock
        self._local = threading.local()
        self._opened: list[Any] = []
        self.batches = Batches()
        self._is_open = False

    @property
    def queued(self) -> int:
        """How many changes wait for their turn."""
        return len(self._writer) if self._is_open else 0

    # -- life ----------------------------------------------------------------------

    async def start(self, deliver: Deliver) -> None:
        """Open the file, migrate it, start the threads; one Manager for each file."""
        self._loop = asyncio.get_running_loop()
        self._lock = self._lock_file()
        try:
            connection = await asyncio.to_thread(self._open)
        except BaseException:
            self._lock.close()
            raise
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="flamenco-read")
        self._writer = SqliteWriter(connection, self._clock, deliver, self.batches)
        self._is_open = True

    async def close(self) -> None:
        """Commit what is queued and close the file."""
        if not self._is_open:
            return
        self._is_open = False
        # Readers first: the last checkpoint would wait for them.
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._opened:
            connection.close()
        await self._writer.close()
        self._lock.close()

    def _lock_file(self) -> Any:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = lock_file(self.path.with_name(self.path.name + ".lock"))
        except OSError as error:
            raise DatabaseError(f"cannot use the database {self.path}: {error}") from error
        if lock is None:
            raise DatabaseError(
                f"another Manager uses {self.path}; stop it, or set another 'database:'"
            )
        return lock

    def _open(self) -> Any:
        module = dbapi()
        url = URL.create("sqlite", database=str(self.path))
        engine = create_engine(url, module=module, poolclass=NullPool, isolation_level=None)
        try:
            upgrade(engine, self.path)
            return self._connect(read_only=False)
        except (DBAPIError, module.Error) as error:
            reason = getattr(error, "orig", None) or error
            raise DatabaseError(
                f"cannot use the database {self.path}: {reason}; restore a backup of it,"
                " or set another 'database:'"
            ) from error
        finally:
            engine.dispose()

    def _connect(self, *, read_only: bool) -> Any:
        uri = self.path.as_uri() + ("?mode=ro" if read_only else "")
        connection = dbapi().connect(
            uri,
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            # The writer must not hold up the event loop; it has a patience of its own.
            timeout=PATIENCE if read_only else 0.0,
            cached_statements=STATEMENTS,
        )
        if not read_only:
            for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
                connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA cache_size=-65536")
        return connection

    # -- use -----------------------------------------------------------------------

    async def write(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run *fn* in a transaction; return its result when it is on disk."""
        self._require_open()
        return await self._writer.put(fn, args, kwargs, brief=False)

    async def brief(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do the same on the event loop itself, which a few statements do not hold up."""
        self._require_open()
        return await self._writer.put(fn, args, kwargs, brief=True)

    async def read(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run *fn* on a read-only connection."""
        self._require_open()
        return await self._loop.run_in_executor(self._readers, self._read, fn, args, kwargs)

    def _require_open(self) -> None:
        if not self._is_open:
            raise DatabaseError(f"the database {self.path} is not open; the Manager is stopping")

    def _read(self, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        try:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect(read_only=True)
                self._opened.append(connection)
            cursor = connection.cursor()
            cursor.execute("BEGIN")
            try:
                return fn(Tx(cursor, self.dialect, self._clock.now()), *args, **kwargs)
            finally:
                cursor.execute("COMMIT")
                cursor.close()
        except dbapi().OperationalError as error:
            raise in_words(error) from error
