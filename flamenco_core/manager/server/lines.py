"""The connections of a server: how many, from whom, and how long each may take.

uvicorn keeps a client that sends half a request, or never reads its answer, for ever. A
timer for each request would cost something with every request; instead all connections
are looked at about once a second, and those in the same state for too long are closed. What
is read in the meantime costs one addition.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import attrs

from flamenco_core.clock import Clock
from flamenco_core.config import Duration
from flamenco_core.manager.limits import Limits

__all__ = ["Line", "Lines", "State"]

log = logging.getLogger(__name__)

LINGER = 2.0
"""Seconds for the rest of a body that nobody wants: the client shall read its answer first."""
NEVER = float("inf")


@attrs.frozen
class State:
    """What a connection is busy with; it may stay *limit* seconds in one state."""

    word: str
    limit: float = NEVER
    of: object = None
    """What makes it another one of the same kind: the request, and how far that is."""
    progress: int = 0


class Line(Protocol):
    """One connection, as `Lines` sees it."""

    address: str
    state: State | None
    since: float

    def look(self) -> State:
        """Return what it is busy with at the moment."""

    def give_up(self, state: State) -> None:
        """Close it, because it was in *state* for too long."""


class Lines:
    """Admits connections, and closes those that take too long."""

    def __init__(
        self,
        limits: Limits,
        clock: Clock,
        *,
        most: int | None = None,
        speaks_for_many: Callable[[str], bool] = lambda address: False,
    ) -> None:
        self.follow(limits, most)
        self.refused = 0
        self.overdue: Counter[str] = Counter()
        self._clock = clock
        self._speaks_for_many = speaks_for_many
        self._open: set[Line] = set()
        self._by_address: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def follow(self, limits: Limits, most: int | None = None) -> None:
        """Go by these limits from now on; *most* is how many connections the system has.

        Nobody who is there is sent away because there are too many now. Where a time-out
        has changed, the time counts anew.
        """
        self.limits = limits
        self.most = limits.connections if most is None else min(limits.connections, most)
        self.head = patience(limits.header_timeout)
        self.json_body = patience(limits.body_timeout)
        self.stall = patience(limits.stall_timeout)
        self.idle = limits.idle_timeout.seconds
        shortest = min(self.head, self.json_body, self.stall, self.idle)
        self.pause = min(1.0, max(0.1, shortest / 8))
        """Seconds between two looks at all connections."""
        self._next_look = 0.0

    def admit(self, line: Line) -> bool:
        """Take a new connection in; False if there are too many."""
        if (reason := self._why_not(line.address)) is not None:
            self.refused += 1
            log.warning(*reason)
            return False
        self._open.add(line)
        self._by_address[line.address] += 1
        line.state, line.since = None, self._clock.monotonic()
        return True

    def _why_not(self, address: str) -> tuple[str, object] | tuple[str, object, object] | None:
        if len(self._open) >= self.most:
            return "refused a connection: there are %s already (limits: connections)", self.most
        most = self.limits.connections_per_address
        if not most or self._by_address[address] < most or self._speaks_for_many(address):
            return None
        text = "refused a connection: %s has %s already (limits: connections_per_address)"
        return text, address, most

    def leave(self, line: Line) -> None:
        """Forget a connection; nothing happens if it was not admitted."""
        if line not in self._open:
            return
        self._open.discard(line)
        self._by_address[line.address] -= 1
        if not self._by_address[line.address]:
            del self._by_address[line.address]

    def look(self) -> None:
        """Close what is overdue; costs next to nothing if called too often."""
        now = self._clock.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + self.pause
        closed = [line for line in self._open if self._is_overdue(line, now)]
        slow: Counter[str] = Counter()
        for line in closed:
            state = line.state or line.look()
            line.give_up(state)
            if state.word != "idle":  # which is no fault
                self.overdue[state.word] += 1
                slow[line.address] += 1
        if slow:
            text = "closed connections that took too long: %s, %s of them from %s"
            address, count = slow.most_common(1)[0]
            log.info(text, slow.total(), count, address)

    def _is_overdue(self, line: Line, now: float) -> bool:
        state, before = line.look(), line.state
        if before is None or state != before:
            # A new connection has counted from its start.
            line.since = now if before is not None else line.since
            line.state = state
        return now - line.since >= state.limit


def patience(setting: Duration) -> float:
    """Return a time-out in seconds; 0 means for ever."""
    return setting.seconds or NEVER
