"""Know which workers are alive: when each was last heard of.

Deadlines use the monotonic clock, so a jump of the wall clock gives nobody up. They live in
memory; a Manager that starts gives every worker a full time-out to call.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from flamenco_core.clock import Clock

__all__ = ["Liveness"]

BEATS_MISSED = 4
"""A worker that said how often it calls is given up after missing so many calls."""

LATE = 0.8
"""A worker is late after this part of its time-out; it may be silent for 3/4 of it."""
SAVED_EVERY = 10.0
"""Seconds between two times that what was heard is stored."""


@attrs.define
class _Contact:
    at: float
    wall: int
    patience: float
    is_saved: bool = False


class Liveness:
    """Who was heard of when.

    *patience* (seconds) is for workers that do not say how often they call: Flamenco's
    own are silent for up to 66 s. It may be changed; it counts from the next call on.
    """

    def __init__(self, clock: Clock, patience: float) -> None:
        self._clock = clock
        self.patience = patience
        self._contacts: dict[str, _Contact] = {}

    def heard(self, worker: str, beat: float | None = None) -> None:
        """Note that a worker called; *beat* is how often it means to (seconds)."""
        patience = self.patience if beat is None else max(beat, 1.0) * BEATS_MISSED
        self._contacts[worker] = _Contact(self._clock.monotonic(), self._clock.now(), patience)

    def expect(self, workers: Iterable[str]) -> None:
        """Give workers that should be there a full time-out to call."""
        now = self._clock.monotonic()
        for worker in workers:
            self._contacts.setdefault(worker, _Contact(now, 0, self.patience, is_saved=True))

    def forget(self, worker: str) -> None:
        """Expect no calls of a worker any more."""
        self._contacts.pop(worker, None)

    def overdue(self) -> list[str]:
        """Return the workers that were not heard of for too long."""
        now = self._clock.monotonic()
        return [w for w, c in self._contacts.items() if now - c.at > c.patience]

    def last_seen(self, worker: str) -> int | None:
        """Return when a worker was last heard of (microseconds, UTC), if it was."""
        contact = self._contacts.get(worker)
        return contact.wall if contact and contact.wall else None

    def is_late(self, worker: str, saved: int | None) -> bool:
        """Say whether a worker should have called by now; *saved* is as it is stored."""
        contact = self._contacts.get(worker)
        if contact is None:
            return False  # nothing is expected of it, or it is another Manager's
        silence = self._clock.monotonic() - contact.at
        if contact.wall and (saved or 0) > contact.wall:
            # Another Manager has heard of it since, and stores that every few seconds.
            silence = (self._clock.now() - (saved or 0)) / 1_000_000 - SAVED_EVERY
        return silence > contact.patience * LATE

    async def run(self) -> None:
        """Do what there is to do beside requests: nothing, for there is no other Manager."""

    def unsaved(self) -> list[tuple[str, int]]:
        """Return who was heard of since the last call, and when."""
        fresh = [(w, c) for w, c in self._contacts.items() if not c.is_saved]
        for _, contact in fresh:
            contact.is_saved = True
        return [(worker, contact.wall) for worker, contact in fresh]
