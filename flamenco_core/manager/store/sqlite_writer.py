"""The one writer of a SQLite file: short transactions on the event loop, commits beside it.

A short transaction is some dozen statements of a few microseconds each. Handing it to a
thread costs more than it does: two threads would fight for the interpreter, statement by
statement. So it runs where it was asked for. Only what has to wait for the disk goes to
the thread: the commit, and transactions that take long. What is asked for meanwhile queues
up and is the next group: many requests, one fsync.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import attrs

from flamenco_core.clock import Clock
from flamenco_core.errors import Busy, DatabaseError
from flamenco_core.manager.store.batches import Batches
from flamenco_core.manager.store.database import Deliver
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.sqlite_words import in_words, is_final
from flamenco_core.manager.store.transaction import Tx

__all__ = ["MAX_QUEUED", "SqliteWriter"]

log = logging.getLogger(__name__)

GROUP = 64
"""At most so many transactions share one commit; more would only make the first wait."""
MAX_QUEUED = 10_000
PATIENCE = 5.0
"""How long another program may hold the file (seconds) before a write is given up."""
DISK_FAILED = (
    "the disk failed while the database was written, so nobody knows what is on it; the Manager"
    " has to be started again. Look at the disk's health"
)


@attrs.define(eq=False)
class Write:
    """A transaction that somebody waits for."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: asyncio.Future[Any]
    brief: bool
    since: float
    tx: Tx | None = None
    result: Any = None
    error: BaseException | None = None


@attrs.define(eq=False)
class Group:
    """Transactions that are committed together."""

    writes: list[Write]
    is_applied: bool = False
    error: Exception | None = None
    """Why none of them can be committed."""
    is_last: bool = False
    """Whether the disk failed while they were committed."""


class SqliteWriter:
    """Owns the connection that writes; all methods are for the event loop's thread.

    The connection has one user at a time: the loop, or the thread while ``_is_away``.
    """

    def __init__(
        self,
        connection: Any,
        clock: Clock,
        deliver: Deliver,
        batches: Batches,
        on_final: Callable[[], None] = lambda: None,
        has_space: Callable[[], bool] = lambda: True,
    ) -> None:
        self._batches = batches
        self._connection = connection
        self._on_final = on_final
        self._has_space = has_space
        self._is_final = False
        self._cursor = connection.cursor()
        self._clock = clock
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Write] = deque()
        self._is_away = False
        self._is_called = False
        self._errands: queue.SimpleQueue[Group | None] = queue.SimpleQueue()
        self._idle = asyncio.Event()
        self._idle.set()
        # A daemon: a Manager that dies without `close` must not hang in its exit.
        self._thread = threading.Thread(target=self._run, name="flamenco-write", daemon=True)
        self._thread.start()

    def put(
        self, fn: Callable[..., Any], args: Any, kwargs: Any, *, brief: bool
    ) -> asyncio.Future[Any]:
        """Queue a transaction; the future gets its result once that is on disk.

        Raises `Busy` when too many are waiting already, `DatabaseError` after the disk has
        failed.
        """
        if self._is_final:
            raise DatabaseError(DISK_FAILED)
        if len(self._waiting) >= MAX_QUEUED:
            raise Busy("too many changes are waiting for the database; try again")
        write = Write(fn, args, kwargs, self._loop.create_future(), brief, self._clock.monotonic())
        self._waiting.append(write)
        self._idle.clear()
        if not self._is_away and not self._is_called:
            # Not at once: what the loop has read from other sockets belongs to this group.
            self._is_called = True
            self._loop.call_soon(self._go_on)
        return write.future

    def __len__(self) -> int:
        return len(self._waiting)

    async def close(self) -> None:
        """Commit what is queued and close the connection; nothing may be put any more."""
        await self._idle.wait()
        self._errands.put(None)
        await asyncio.to_thread(self._thread.join)

    # -- on the event loop ---------------------------------------------------------------

    def _go_on(self) -> None:
        self._is_called = False
        if not self._waiting:
            self._idle.set()
            return
        group = Group(self._next_writes())
        if group.writes[0].brief and self._begin():
            self._apply(group)
        self._is_away = True
        self._errands.put(group)

    def _next_writes(self) -> list[Write]:
        """Take the next writes of one kind: brief ones need not wait for what follows."""
        waiting = self._waiting
        writes = [waiting.popleft()]
        while waiting and len(writes) < GROUP and waiting[0].brief is writes[0].brief:
            writes.append(waiting.popleft())
        return writes

    def _begin(self) -> bool:
        """Begin a transaction; False if another program holds the file just now."""
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
        # Whatever it is: the thread tries again, with patience, and says what it was.
        except dbapi().Error:
            return False
        return True

    def _come_back(self, group: Group) -> None:
        self._is_away = False
        for write in group.writes:
            self._answer(write)
        if group.is_last and not self._is_final:
            self._give_up()
        self._go_on()

    def _give_up(self) -> None:
        self._is_final = True
        while self._waiting:
            write = self._waiting.popleft()
            write.error = DatabaseError(DISK_FAILED)
            self._answer(write)
        self._on_final()

    def _answer(self, write: Write) -> None:
        if write.error is None and write.tx is not None:
            self._tell(write.tx)
        if write.future.done():
            return  # the client went away; what is committed stays
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

    # -- where the connection is ----------------------------------------------------------

    def _apply(self, group: Group) -> None:
        group.is_applied = True
        try:
            for write in group.writes:
                self._apply_one(write, alone=len(group.writes) == 1)
        # The border to the disk: a full one ends the whole transaction, others' parts too.
        except Exception as error:
            group.error = error

    def _apply_one(self, write: Write, *, alone: bool) -> None:
        cursor = self._cursor
        write.tx = Tx(cursor, "sqlite", self._clock.now())
        if not alone:
            cursor.execute("SAVEPOINT one")
        try:
            write.result = write.fn(write.tx, *write.args, **write.kwargs)
        # The border to the use case: what it raises undoes its own changes only.
        except Exception as error:
            write.error = in_words(error)
            cursor.execute("ROLLBACK" if alone else "ROLLBACK TO one")
            if alone:
                cursor.execute("BEGIN")
        if not alone:
            cursor.execute("RELEASE one")

    # -- in the thread ---------------------------------------------------------------------

    def _run(self) -> None:
        while group := self._errands.get():
            self._commit(group)
            self._loop.call_soon_threadsafe(self._come_back, group)
            # An answer keeps its transaction alive otherwise, until the next one comes.
            del group
        if not self._is_final:
            self._cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()

    def _commit(self, group: Group) -> None:
        try:
            if not group.is_applied:
                self._begin_patiently(group.writes[0].since)
                self._apply(group)
            if group.error is not None:
                raise group.error
            self._commit_now(group)
        # The border to the disk: whoever waits must hear of it, the thread must live on.
        except Exception as error:
            log.exception("a commit failed; nothing of it was stored")
            self._undo()
            for write in group.writes:
                write.error = write.error or in_words(error)

    def _commit_now(self, group: Group) -> None:
        started = self._clock.monotonic()
        try:
            self._cursor.execute("COMMIT")
        except dbapi().Error as error:
            # A full disk can look the same, where SQLite's own files cannot grow.
            group.is_last = is_final(error) and self._has_space()
            raise
        self._batches.note(len(group.writes), self._clock.monotonic() - started)

    def _begin_patiently(self, since: float) -> None:
        # Those before may have waited in vain as well: nobody is kept waiting twice.
        left = max(0.0, since + PATIENCE - self._clock.monotonic())
        self._cursor.execute(f"PRAGMA busy_timeout={int(left * 1000)}")
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
        finally:
            self._cursor.execute("PRAGMA busy_timeout=0")

    def _undo(self) -> None:
        try:
            self._cursor.execute("ROLLBACK")
        # There may be no transaction any more; then there is nothing to undo.
        except Exception:
            log.debug("nothing to roll back", exc_info=True)
