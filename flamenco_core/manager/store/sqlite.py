"""SQLite: one writer thread that commits in groups, readers beside it.

All writes go through one thread and one connection, so there is never a wait for a lock.
Whatever has queued up while the disk was busy is committed together: many requests, one
fsync. ``synchronous=FULL``: an answer is only given for what survives a power cut.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from flamenco_core.clock import Clock
from flamenco_core.errors import Busy, DatabaseError
from flamenco_core.manager.store.database import Deliver
from flamenco_core.manager.store.migrate import upgrade
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.platform import lock_file

__all__ = ["SqliteDatabase"]

log = logging.getLogger(__name__)

GROUP = 64
"""At most so many transactions share one commit; more would only make the first wait."""
MAX_QUEUED = 10_000
READERS = 2
PATIENCE = 5.0
"""How long another program may hold the file (seconds) before a write is given up."""
STATEMENTS = 512
"""So many compiled statements are kept; the program has fewer."""


@attrs.define(eq=False)
class _Write:
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: asyncio.Future[Any]
    tx: Tx | None = None
    result: Any = None
    error: BaseException | None = None


class SqliteDatabase:
    """A SQLite file."""

    dialect = "sqlite"

    def __init__(self, path: str | Path, clock: Clock) -> None:
        self.path = Path(path).resolve()
        self._clock = clock
        self._queue: queue.Queue[_Write | None] = queue.Queue(MAX_QUEUED)
        self._local = threading.local()
        self._opened: list[Any] = []
        self._is_open = False

    # -- life ----------------------------------------------------------------------

    async def start(self, deliver: Deliver) -> None:
        """Open the file, migrate it, start the threads; one Manager for each file."""
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._lock = self._lock_file()
        try:
            connection = await asyncio.to_thread(self._open)
        except BaseException:
            self._lock.close()
            raise
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="flamenco-read")
        # A daemon: a Manager that dies without `close` must not hang in its exit.
        self._writer = threading.Thread(
            target=self._write_loop, args=(connection,), name="flamenco-write", daemon=True
        )
        self._writer.start()
        self._is_open = True

    async def close(self) -> None:
        """Commit what is queued and close the file."""
        if not self._is_open:
            return
        self._is_open = False
        await asyncio.to_thread(self._queue.put, None)
        # Readers first: the last checkpoint would wait for them.
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._opened:
            connection.close()
        await asyncio.to_thread(self._writer.join)
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
            timeout=PATIENCE,
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
        future = self._loop.create_future()
        try:
            self._queue.put_nowait(_Write(fn, args, kwargs, future))
        except queue.Full:
            raise Busy("too many changes are waiting for the database; try again") from None
        return await future

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
            raise _in_words(error) from error

    # -- the writer thread -----------------------------------------------------------

    def _write_loop(self, connection: Any) -> None:
        cursor = connection.cursor()
        while group := self._next_group():
            self._commit(cursor, group)
            self._loop.call_soon_threadsafe(self._answer, group)
            # An answer keeps its transaction alive otherwise, until the next one comes.
            del group
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def _next_group(self) -> list[_Write]:
        group: list[_Write] = []
        write = self._queue.get()
        while write is not None:
            group.append(write)
            if len(group) == GROUP or self._queue.empty():
                return group
            write = self._queue.get()
        if group:
            # The end is the last thing that is ever queued, so there is room for it again.
            self._queue.put(None)
        return group

    def _commit(self, cursor: Any, group: list[_Write]) -> None:
        try:
            cursor.execute("BEGIN IMMEDIATE")
            for write in group:
                self._apply(cursor, write, alone=len(group) == 1)
            cursor.execute("COMMIT")
        # The border to the disk: whoever waits must hear of it, the thread must live on.
        except Exception as error:
            log.exception("a commit failed; nothing of it was stored")
            self._undo(cursor)
            for write in group:
                write.error = write.error or _in_words(error)

    def _apply(self, cursor: Any, write: _Write, *, alone: bool) -> None:
        write.tx = Tx(cursor, self.dialect, self._clock.now())
        if not alone:
            cursor.execute("SAVEPOINT one")
        try:
            write.result = write.fn(write.tx, *write.args, **write.kwargs)
        # The border to the use case: what it raises undoes its own changes only.
        except Exception as error:
            write.error = _in_words(error)
            cursor.execute("ROLLBACK" if alone else "ROLLBACK TO one")
            if alone:
                cursor.execute("BEGIN")
        if not alone:
            cursor.execute("RELEASE one")

    def _undo(self, cursor: Any) -> None:
        try:
            cursor.execute("ROLLBACK")
        # There may be no transaction any more; then there is nothing to undo.
        except Exception:
            log.debug("nothing to roll back", exc_info=True)

    def _answer(self, group: list[_Write]) -> None:
        for write in group:
            if write.error is None and write.tx is not None:
                self._tell(write.tx)
            if write.future.done():
                continue  # the client went away; what is committed stays
            if write.error is not None:
                write.future.set_exception(write.error)
            else:
                write.future.set_result(write.result)

    def _tell(self, tx: Tx) -> None:
        try:
            self._deliver(tx)
        # The border to whoever listens: the rest of the group waits for its answers.
        except Exception:
            log.exception("the events of a transaction could not be told")


def _in_words(error: Exception) -> Exception:
    if not isinstance(error, dbapi().OperationalError):
        return error
    if "locked" in str(error) or "busy" in str(error):
        return Busy("another program holds the database; try again")
    if "full" in str(error):
        return DatabaseError("the disk of the database is full; make space, nothing is lost")
    return DatabaseError(f"the database cannot be used: {error}")
