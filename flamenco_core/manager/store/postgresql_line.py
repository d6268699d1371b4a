"""The line between Managers on PostgreSQL: LISTEN and NOTIFY, in a thread of its own.

Who starts says hello; who is there answers, and from then on tells all that is committed.
Whatever may have been missed (before the welcome, while the connection was broken, when
another Manager dies between a commit and its news) ends in `Ears.missed`. While there is
nobody else, nothing is sent.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import psycopg

from flamenco_core.clock import SystemClock
from flamenco_core.errors import DatabaseError
from flamenco_core.manager.store.duty import Tenure, in_office
from flamenco_core.manager.store.frames import Kind, Message, Reader, frames_of
from flamenco_core.manager.store.line import Ears
from flamenco_core.manager.store.postgresql_session import FROZEN, Session

__all__ = ["PostgresLine"]

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between looks at who is there and which duties are free."""
TOGETHER = 0.02
"""Seconds between two messages at least; what is to be said meanwhile goes into one."""
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds until a broken line is tried again; the last one again and again."""
MOST = 10_000
"""So much may wait to be said; then the others are told that they missed some ..."""
MOST_BYTES = 16 * 1024 * 1024
"""... also if it is longer than this."""


class _Turn:
    """Whether this Manager has a duty; for the event loop only."""

    def __init__(self) -> None:
        self.taken, self.lost = asyncio.Event(), asyncio.Event()

    def set(self, *, mine: bool) -> None:
        now, not_now = (self.taken, self.lost) if mine else (self.lost, self.taken)
        not_now.clear()
        now.set()


class PostgresLine:
    """A line over the database at *url*."""

    is_shared = True

    def __init__(self, url: str) -> None:
        self.is_alone = True
        self._url = url
        # Not the farm's: what is waited for here is the network, and the thread is real.
        self._monotonic = SystemClock().monotonic
        self._turns: dict[str, _Turn] = {}
        self._held: set[str] = set()
        self._doubts: deque[asyncio.Future[frozenset[str]]] = deque()
        self._session = (0, 0)
        self._others: set[int] = set()
        self._departed: set[int] = set()
        self._said: deque[Any] = deque()
        self._said_bytes = 0
        self._unsent: list[Any] = []
        self._has_gaps = False
        self._failures = 0
        self._next_at = 0.0
        self._serials = itertools.count()
        self._closing = threading.Event()
        self._is_rung = False
        self._thread: threading.Thread | None = None

    # -- on the event loop ---------------------------------------------------------------

    async def start(self, ears: Ears) -> None:
        """Connect, and say hello."""
        self._ears = ears
        self._loop = asyncio.get_running_loop()
        try:
            session = await asyncio.to_thread(Session, self._url)
        except psycopg.Error as error:
            raise DatabaseError(f"cannot use the database: {error}") from error
        self._bell, self._listener = socket.socketpair()
        self._bell.setblocking(False)
        # Until it is known: what is said now is kept.
        self.is_alone = False
        # A daemon: a Manager that dies without `close` must not hang in its exit.
        self._thread = threading.Thread(
            target=self._run, args=[session], name="flamenco-line", daemon=True
        )
        self._thread.start()

    async def close(self) -> None:
        """Say what is left, and goodbye."""
        if self._thread is None:
            return
        self._closing.set()
        self._ring()
        await asyncio.to_thread(self._thread.join)
        self._bell.close()
        self._listener.close()
        self._thread = None

    def say(self, said: Any, size: int = 0) -> None:
        """Let the others know, if there are any."""
        if self.is_alone:
            return
        if len(self._said) >= MOST or self._said_bytes + size > MOST_BYTES:
            self._said.clear()
            self._said_bytes = 0
            self._has_gaps = True
        self._said.append(said)
        self._said_bytes += size
        self._ring()

    async def taken(self, duty: str) -> None:
        """Return when this Manager has a duty."""
        turn = self._turns.setdefault(duty, _Turn())
        held: frozenset[str] = frozenset()
        while duty not in held:
            self._ring()
            await turn.taken.wait()
            # This process may have been frozen since: the server has the last word.
            self._doubts.append(doubt := self._loop.create_future())
            self._ring()
            held = await doubt

    async def lost(self, duty: str) -> None:
        """Return when this Manager has a duty no longer."""
        await self._turns[duty].lost.wait()

    def doing(self, duty: str) -> AbstractContextManager[None]:
        """Refuse what is asked of the database inside once this Manager's session ends."""
        process, manager = self._session
        return in_office(Tenure(duty=duty, process=process, manager=manager))

    def _ring(self) -> None:
        if not self._is_rung and self._thread is not None:
            self._is_rung = True
            self._bell.send(b"!")

    def _set_turns(self, duties: set[str], *, mine: bool) -> None:
        for duty in duties:
            self._turns[duty].set(mine=mine)

    # -- in the thread -------------------------------------------------------------------

    def _run(self, session: Session | None) -> None:
        while not self._closing.is_set():
            try:
                session = session or Session(self._url)
                self._talk(session)
            # The border to the network: the farm goes on without the line, until it is back.
            except Exception as error:
                self._broke(error)
                self._closing.wait(PAUSES[min(self._failures, len(PAUSES)) - 1])
            finally:
                if session is not None:
                    session.close()
                session = None

    def _broke(self, error: Exception) -> None:
        if not self._failures:
            log.warning("the line to other Managers is broken: %s", error)
        self._failures += 1
        lost, self._held = self._held, set()
        self._tell(self._set_turns, lost, mine=False)
        # Whoever said nothing meanwhile would not be missed by those who are still there.
        self.is_alone = False

    def _works(self) -> None:
        if self._failures:
            self._failures = 0
            log.warning("the line to other Managers is back")
            # Who was there before may be gone.
            self._tell(self._ears.left)
            self._tell(self._ears.missed)

    def _talk(self, session: Session) -> None:
        reader, look_at = Reader(), 0.0
        self._session = session.process, session.number
        self._others = session.others()
        self.is_alone = not self._others
        self._send(session, Kind.HELLO, self._ears.introduction())
        while not self._closing.is_set():
            session.wait(self._listener, max(0.0, look_at - self._monotonic()))
            is_time = self._monotonic() >= look_at
            is_rung = self._hush()
            self._say_all(session)
            if is_rung or is_time:
                self._take_duties(session)
                self._settle_doubts(session)
            if is_time:
                self._look_around(session)
                look_at = self._monotonic() + TICK
                self._works()
            # Last: what came while something else was asked does not wake `wait`.
            self._listen(session, reader)
        self._say_all(session)
        self._send(session, Kind.BYE)

    def _listen(self, session: Session, reader: Reader) -> None:
        for frame in session.receive():
            message = reader.read(frame)
            if message is None or message.sender == session.number:
                continue
            if message.to in (0, session.number):
                self._take_in(session, message)

    def _hush(self) -> bool:
        if not self._is_rung:
            return False
        self._listener.recv(64)
        # Only now: who rings from here on sends a new byte.
        self._is_rung = False
        return True

    def _say_all(self, session: Session) -> None:
        if self._said:
            self._closing.wait(max(0.0, self._next_at - self._monotonic()))
            self._next_at = self._monotonic() + TOGETHER
        with suppress(IndexError):
            while True:
                self._unsent.append(self._said.popleft())
        # What was said in this very moment may not be counted; that does not matter.
        self._said_bytes = 0
        if self._unsent and not self.is_alone and (words := self._words()):
            self._send(session, Kind.NEWS, words)
        # Only now: what could not be sent is said again when the line is back.
        self._unsent.clear()
        if self._has_gaps:
            self._has_gaps = False
            self._send(session, Kind.GAPS)

    def _words(self) -> bytes:
        try:
            return self._ears.write(self._unsent)
        # The border to what plugins may have put into it: it must not be tried for ever.
        except Exception:
            log.exception("something could not be told to other Managers")
            self._has_gaps = True
            return b""

    def _send(self, session: Session, kind: Kind, content: bytes = b"", to: int = 0) -> None:
        message = Message(sender=session.number, kind=kind, content=content, to=to)
        session.send(frames_of(message, next(self._serials)))

    def _take_duties(self, session: Session) -> None:
        free = [duty for duty in list(self._turns) if duty not in self._held]
        if taken := session.take(free):
            self._held |= taken
            # Whoever had it is gone, and the look at who is there comes only later: its
            # workers must have their time before the duty is done here.
            self._tell(self._ears.left)
            self._tell(self._set_turns, taken, mine=True)

    def _settle_doubts(self, session: Session) -> None:
        if count := len(self._doubts):
            session.prove()
            # Only now: if that fails, the next session answers.
            doubts = [self._doubts.popleft() for _ in range(count)]
            self._tell(_settle, doubts, frozenset(self._held))

    def _look_around(self, session: Session) -> None:
        if self._others and session.end_frozen():
            log.warning("another Manager on this database has not moved for %s seconds", FROZEN)
        there = session.others()
        died = self._others - there - self._departed
        self._others = there
        self._departed &= there
        self.is_alone = not there
        if died:
            log.warning("another Manager on this database has died, or lost its connection")
            self._tell(self._ears.left)
            self._tell(self._ears.missed)

    def _take_in(self, session: Session, message: Message) -> None:
        match message.kind:
            case Kind.HELLO:
                self._add(message.sender)
                self._send(session, Kind.WELCOME, self._ears.introduction(), message.sender)
                self._tell(self._ears.met, message.content)
            case Kind.WELCOME:
                self._add(message.sender)
                self._tell(self._ears.met, message.content)
                # From now on it tells us everything; what was before, it did not.
                self._tell(self._ears.missed)
            case Kind.NEWS:
                self._tell(self._ears.heard, message.content)
            case Kind.GAPS:
                self._tell(self._ears.missed)
            case Kind.BYE:
                self._departed.add(message.sender)
                self._tell(self._ears.left)

    def _add(self, number: int) -> None:
        self._others.add(number)
        self.is_alone = False

    def _tell(self, fn: Callable[..., None], /, *args: Any, **kwargs: Any) -> None:
        # The loop may be closed already when a Manager stops in a hurry.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(lambda: fn(*args, **kwargs))


def _settle(doubts: list[asyncio.Future[frozenset[str]]], held: frozenset[str]) -> None:
    for doubt in doubts:
        if not doubt.done():
            doubt.set_result(held)
