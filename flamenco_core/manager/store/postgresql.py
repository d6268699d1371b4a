"""PostgreSQL: several connections, row locks, and the same functions as on SQLite.

Transactions commit without waiting for the disk; one flush then makes many of them durable,
and only now they are answered (see `delivery`).

Several Managers may share one database. A transaction that loses a race (deadlock,
serialization, the same new name) is run again: use cases have no effect outside of their
transaction. Rows are locked in one order, so that this is rare: worker, job, task, lane.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import attrs
import psycopg
from psycopg.types.numeric import Int8Dumper
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from flamenco_core.clock import Clock
from flamenco_core.errors import Busy, DatabaseError, StorageFull
from flamenco_core.manager.store.batches import Batches
from flamenco_core.manager.store.database import Deliver
from flamenco_core.manager.store.delivery import Delivery
from flamenco_core.manager.store.duty import fenced
from flamenco_core.manager.store.line import Line
from flamenco_core.manager.store.migrate import upgrade
from flamenco_core.manager.store.postgresql_line import PostgresLine
from flamenco_core.manager.store.transaction import Tx

__all__ = ["PostgresDatabase"]

log = logging.getLogger(__name__)

WRITERS = 8
READERS = 4
MAX_QUEUED = 10_000
RETRIES = 10
LOST_RACES = {"40001", "40P01", "23505"}
"""SQLSTATE of a serialization failure, a deadlock, and a key that somebody else took first."""
DISK_FULL = "53100"
STATEMENTS = 512
"""So many prepared statements are kept; the program has fewer."""

# Every statement of ours has its index. Without statistics (a new farm, a table that has
# just grown) the planner would read whole tables, and keep that plan.
SETTINGS = (
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off;"
    " SET plan_cache_mode = force_generic_plan; SET synchronous_commit = off;"
    # What a Manager has locked that is frozen in a transaction is free after this: before
    # others take its duties, see `postgresql_session.FROZEN`.
    " SET idle_in_transaction_session_timeout = '20s'"
)
# The commit of something that is in the log waits for the disk, and for all before it.
FLUSH = (
    "BEGIN; SET LOCAL synchronous_commit = on;"
    " SELECT pg_logical_emit_message(true, 'flamenco', ''); COMMIT"
)
WRITE = "BEGIN"
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@attrs.frozen(eq=False)
class _Done:
    future: asyncio.Future[Any]
    tx: Tx | None = None
    result: Any = None


class PostgresDatabase:
    """A PostgreSQL database; *url* starts with ``postgresql+psycopg://``."""

    dialect = "postgresql"

    def __init__(self, url: str, clock: Clock) -> None:
        self.line: Line = PostgresLine(url)
        self._url = url
        self._clock = clock
        self._local = threading.local()
        # One of each thread; a broken one gives its place to the next.
        self._opened: dict[int, Any] = {}
        self._queued = 0
        self._flushed = 0.0
        self.batches = Batches()
        self._pause = threading.Event()
        self._is_open = False
        self.trouble = ""
        self.on_failed_disk: Callable[[str], None] = lambda reason: None

    @property
    def queued(self) -> int:
        """How many changes wait for their turn."""
        return self._queued

    # -- life ----------------------------------------------------------------------

    async def start(self, deliver: Deliver) -> None:
        """Connect and migrate.

        Raises `DatabaseError` when the server cannot be reached.
        """
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        await asyncio.to_thread(self._migrate)
        self._delivery = Delivery[_Done](self._flush, self._post)
        self._delivery.start()
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="flamenco-write")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="flamenco-read")
        self._is_open = True

    async def close(self) -> None:
        """Finish what was begun and close all connections."""
        if not self._is_open:
            return
        self._is_open = False
        await asyncio.to_thread(self._writers.shutdown)
        await asyncio.to_thread(self._delivery.close)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._opened.values():
            connection.close()

    def _migrate(self) -> None:
        engine = create_engine(self._url, poolclass=NullPool)
        try:
            upgrade(engine)
        except DBAPIError as error:
            raise DatabaseError(f"cannot use {engine.url!r}: {error.orig}") from error
        finally:
            engine.dispose()

    # -- use -----------------------------------------------------------------------

    async def write(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run *fn* in a transaction; return its result when it is committed."""
        self._require_open()
        if self._queued >= MAX_QUEUED:
            raise Busy("too many changes are waiting for the database; try again")
        self._queued += 1
        future = self._loop.create_future()
        work = fenced(lambda tx: fn(tx, *args, **kwargs))
        self._writers.submit(self._write, future, work)
        return await future

    async def brief(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do the same: here the time goes by on the network, which needs a thread."""
        return await self.write(fn, *args, **kwargs)

    async def read(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run *fn* on one state of the data, in a transaction that cannot write."""
        self._require_open()
        work = partial(self._retried, self._look, fenced(lambda tx: fn(tx, *args, **kwargs)))
        return await self._loop.run_in_executor(self._readers, work)

    def has_space(self) -> bool:
        """Say yes: the disk is another machine's."""
        return True

    async def look(self) -> str:
        """Say nothing: the server looks after its files."""
        return ""

    async def check(self) -> list[str]:
        """Say nothing: it is for the server's administrator to run pg_amcheck."""
        return []

    async def back_up(self, age: float, keep: int) -> str:
        """Make none: servers have better ways, such as archives of their log."""
        return ""

    def _require_open(self) -> None:
        if not self._is_open:
            raise DatabaseError("the database is not open; the Manager is stopping")

    # -- in the threads ----------------------------------------------------------------

    def _write(self, future: asyncio.Future[Any], fn: Callable[[Tx], Any]) -> None:
        try:
            self._retried(partial(self._commit, future), fn)
        # The border to the use case: whoever waits for it hears what it raised.
        except Exception as error:
            self._loop.call_soon_threadsafe(self._answer, [_Done(future)], error)

    def _flush(self) -> None:
        started = self._clock.monotonic()
        try:
            self._cursor().execute(FLUSH, prepare=False)
            self._flushed = self._clock.monotonic() - started
        except psycopg.Error as error:
            if not self._is_broken():
                self._roll_back(self._cursor())
            # Nobody knows what is on disk. To do it again may be to do it twice; the client
            # sends it again, and what is there already is recognized.
            raise Busy("the database went away during a change; try again") from error

    def _post(self, commits: Sequence[_Done], error: Exception | None) -> None:
        if error is None:
            self.batches.note(len(commits), self._flushed)
        self._loop.call_soon_threadsafe(self._answer, commits, error)

    def _answer(self, commits: Sequence[_Done], error: Exception | None) -> None:
        for done in commits:
            self._queued -= 1
            if error is None and done.tx is not None:
                self._tell(done.tx)
            if done.future.done():
                continue  # the client went away; what is committed stays
            if error is not None:
                done.future.set_exception(error)
            else:
                done.future.set_result(done.result)

    def _tell(self, tx: Tx) -> None:
        try:
            self._deliver(tx)
        # The border to whoever listens: what is committed must be answered all the same.
        except Exception:
            log.exception("the events of a transaction could not be told")

    def _retried(self, once: Callable[[Callable[[Tx], Any]], Any], fn: Callable[[Tx], Any]) -> Any:
        for attempt in range(RETRIES):
            try:
                return once(fn)
            except psycopg.Error as error:
                # A new connection is made where the old one broke.
                again = error.sqlstate in LOST_RACES or self._is_broken()
                if not again or attempt == RETRIES - 1:
                    raise _in_words(error) from error
                self._pause.wait(attempt * 0.002)
        raise AssertionError("the last attempt returns or raises")

    def _commit(self, future: asyncio.Future[Any], fn: Callable[[Tx], Any]) -> None:
        cursor = self._cursor()
        tx = Tx(cursor, self.dialect, self._clock.now(), shared=True)
        cursor.execute(WRITE)
        try:
            result = fn(tx)
        except BaseException:
            self._roll_back(cursor)
            raise
        number, done = self._delivery.draw(), None
        try:
            self._commit_now(cursor)
            done = _Done(future, tx, result)
        finally:
            self._delivery.finish(number, done)

    def _commit_now(self, cursor: Any) -> None:
        try:
            cursor.execute("COMMIT")
        except psycopg.Error as error:
            if not self._is_broken():
                raise
            raise Busy("the database went away during a change; try again") from error

    def _look(self, fn: Callable[[Tx], Any]) -> Any:
        cursor = self._cursor()
        cursor.execute(READ)
        try:
            return fn(Tx(cursor, self.dialect, self._clock.now()))
        finally:
            self._roll_back(cursor)

    def _cursor(self) -> Any:
        if self._is_broken():
            self._local.cursor = self._connect()
        return self._local.cursor

    def _is_broken(self) -> bool:
        cursor = getattr(self._local, "cursor", None)
        return cursor is None or bool(cursor.connection.closed)

    def _connect(self) -> Any:
        connection: Any = psycopg.connect(
            self._url.replace("postgresql+psycopg", "postgresql", 1),
            autocommit=True,
            prepare_threshold=0,
            cursor_factory=psycopg.RawCursor,
        )
        connection.prepared_max = STATEMENTS
        # One size of number: otherwise each statement would be prepared once per size.
        connection.adapters.register_dumper(int, Int8Dumper)
        connection.execute(SETTINGS, prepare=False)
        self._opened[threading.get_ident()] = connection
        return connection.cursor()

    def _roll_back(self, cursor: Any) -> None:
        try:
            cursor.execute("ROLLBACK")
        except psycopg.Error:
            # What cannot be rolled back is given up; the server rolls it back then.
            cursor.connection.close()


def _in_words(error: psycopg.Error) -> Exception:
    if error.sqlstate == DISK_FULL:
        return StorageFull("the disk of the database is full; make space, nothing is lost")
    if isinstance(error, psycopg.OperationalError):
        return Busy(f"the database does not answer: {error}")
    return DatabaseError(f"the database refused a statement: {error}")
