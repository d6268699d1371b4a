"""SQLite: one writer that commits in groups, readers beside it.

All writes go through one connection, so there is never a wait for a lock; see
`sqlite_writer`. ``synchronous=FULL``: an answer is only given for what survives a power
cut.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from flamenco_core.clock import Clock
from flamenco_core.errors import DatabaseError
from flamenco_core.manager.store import sqlite_backup
from flamenco_core.manager.store.batches import Batches
from flamenco_core.manager.store.database import Deliver
from flamenco_core.manager.store.line import Line, NoLine
from flamenco_core.manager.store.migrate import upgrade
from flamenco_core.manager.store.sqlite_file import OpenedFile, check_place, was_stopped_cleanly
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.sqlite_words import in_words
from flamenco_core.manager.store.sqlite_writer import DISK_FAILED, PATIENCE, SqliteWriter
from flamenco_core.manager.store.transaction import Tx

__all__ = ["SqliteDatabase"]

READERS = 2
STATEMENTS = 512
"""So many compiled statements are kept; the program has fewer."""
WRITER_PAGES, READER_PAGES = 16 * 1024, 8 * 1024
"""KiB of the file that each connection keeps in memory. The system keeps the file as well:
with a million tasks more pages made nothing faster, and they are what the Manager grows by."""
RESERVE = 1024 * 1024
"""Bytes; with less free, one change may fit where the next does not."""
SMALL = 64 * 1024 * 1024
"""Bytes up to which a file is looked at before each start: that takes no time."""


class SqliteDatabase:
    """A SQLite file."""

    dialect = "sqlite"

    def __init__(self, path: str | Path, clock: Clock) -> None:
        self.path = Path(path).resolve()
        self.line: Line = NoLine()
        self._clock = clock
        self._local = threading.local()
        self._opened: list[Any] = []
        self.batches = Batches()
        self._is_open = False
        self.trouble = ""
        """Why nothing can be written, for as long as that is so."""
        self.on_failed_disk: Callable[[str], None] = lambda reason: None
        """Called once when the disk failed: this process can store nothing any more."""

    @property
    def queued(self) -> int:
        """How many changes wait for their turn."""
        return len(self._writer) if self._is_open else 0

    # -- life ----------------------------------------------------------------------

    async def start(self, deliver: Deliver) -> None:
        """Open the file, migrate it, start the threads; one Manager for each file."""
        self._loop = asyncio.get_running_loop()
        self._lock = sqlite_backup.lock_database(self.path)
        try:
            connection = await asyncio.to_thread(self._open)
        except BaseException:
            self._lock.close()
            raise
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="flamenco-read")
        self._writer = SqliteWriter(
            connection, self._clock, deliver, self.batches, self._fail, self.has_space
        )
        self._file = OpenedFile(self.path)
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

    def _open(self) -> Any:
        module = dbapi()
        check_place(self.path)
        url = URL.create("sqlite", database=str(self.path))
        engine = create_engine(url, module=module, poolclass=NullPool, isolation_level=None)
        try:
            self._refuse_damage()
            upgrade(engine, self.path)
            return self._connect(read_only=False)
        except (DBAPIError, module.Error) as error:
            reason = getattr(error, "orig", None) or error
            raise DatabaseError(
                f"cannot use the database {self.path}: {reason}; restore a backup of it,"
                f" or set another 'database:'. {sqlite_backup.way_back(self.path)}"
            ) from error
        finally:
            engine.dispose()

    def _refuse_damage(self) -> None:
        if not self.path.exists():
            return
        if was_stopped_cleanly(self.path) and self.path.stat().st_size > SMALL:
            return
        # Plainly: whose file it is, is not known yet, and nothing of it must change.
        with closing(dbapi().connect(str(self.path), isolation_level=None)) as connection:
            sqlite_backup.refuse_damage(self.path, connection)

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
        pages = READER_PAGES if read_only else WRITER_PAGES
        connection.execute(f"PRAGMA cache_size=-{pages}")
        return connection

    # -- use -----------------------------------------------------------------------

    async def write(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run *fn* in a transaction; return its result when it is on disk."""
        self._require_writable()
        return await self._writer.put(fn, args, kwargs, brief=False)

    async def brief(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do the same on the event loop itself, which a few statements do not hold up."""
        self._require_writable()
        return await self._writer.put(fn, args, kwargs, brief=True)

    async def read(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run *fn* on a read-only connection."""
        self._require_open()
        return await self._loop.run_in_executor(self._readers, self._read, fn, args, kwargs)

    def _require_open(self) -> None:
        if not self._is_open:
            raise DatabaseError(f"the database {self.path} is not open; the Manager is stopping")

    def _require_writable(self) -> None:
        self._require_open()
        if self.trouble:
            raise DatabaseError(self.trouble)

    def _fail(self) -> None:
        self.trouble = DISK_FAILED
        self.on_failed_disk(DISK_FAILED)

    # -- care -------------------------------------------------------------------------

    def has_space(self) -> bool:
        """Say whether the disk takes more than the next few changes."""
        try:
            return shutil.disk_usage(self.path.parent).free >= RESERVE
        except OSError:
            return True

    async def look(self) -> str:
        """Say why what is written would be lost, as far as that can be seen; and refuse it."""
        if self.trouble != DISK_FAILED:
            self.trouble = await asyncio.to_thread(self._file.trouble)
        return self.trouble

    async def check(self) -> list[str]:
        """Read the whole file, on a connection of its own; return what is wrong with it."""
        return await asyncio.to_thread(self._check)

    def _check(self) -> list[str]:
        with closing(sqlite_backup.open_read_only(self.path)) as connection:
            return sqlite_backup.damage_in(connection)

    async def back_up(self, age: float, keep: int) -> str:
        """Make a backup unless the newest is younger than *age* (seconds); return its path."""
        return await asyncio.to_thread(self._back_up, age, keep)

    def _back_up(self, age: float, keep: int) -> str:
        now = self._clock.now()
        newest = sqlite_backup.newest_backup(self.path)
        if not (age and keep) or (newest and now / 1e6 - newest.stat().st_mtime < age):
            return ""
        target = sqlite_backup.regular_backup(self.path, now)
        with closing(sqlite_backup.open_read_only(self.path)) as connection:
            sqlite_backup.back_up(connection, target)
        sqlite_backup.prune_backups(self.path, keep)
        return str(target)

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
        except dbapi().DatabaseError as error:
            raise in_words(error) from error
