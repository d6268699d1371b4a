"""How often somebody may ask: so many times in a minute, then not until the next one."""

from __future__ import annotations

import math

from flamenco_core.clock import Clock
from flamenco_core.errors import TooMany
from flamenco_core.manager.limits import Limits
from flamenco_core.manager.peers import Peers
from flamenco_core.offers.identity import Identity

__all__ = ["PerMinute", "Rates"]

MINUTE = 60.0
MANY = 100_000
"""So many are counted at one time; when there are more, all begin anew."""


class PerMinute:
    """Counts for each key, and starts anew every minute; a *limit* of 0 is none."""

    def __init__(self, limit: int, clock: Clock, what: str) -> None:
        self.limit = limit
        self._clock = clock
        self._what = what
        self._until = 0.0
        self._counts: dict[str, int] = {}
        self.refused = 0

    def take(self, key: str) -> None:
        """Count one more; raises `TooMany`."""
        if not self.limit:
            return
        now = self._clock.monotonic()
        if now >= self._until or len(self._counts) >= MANY:
            self._until = now + MINUTE
            self._counts.clear()
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count > self.limit:
            self.refused += 1
            raise TooMany(
                f"more than {self.limit} {self._what} in a minute; try again later",
                after=math.ceil(self._until - now),
            )


class Rates:
    """The limits of a Manager."""

    def __init__(self, limits: Limits, peers: Peers, clock: Clock) -> None:
        self._peers = peers
        self.registrations = PerMinute(
            limits.registrations_per_minute,
            clock,
            "new Workers from your address (limits: registrations_per_minute)",
        )
        self.strangers = PerMinute(
            limits.requests_per_minute,
            clock,
            "requests from your address (limits: requests_per_minute)",
        )
        self.workers = PerMinute(
            limits.worker_requests_per_minute,
            clock,
            "requests of one Worker (limits: worker_requests_per_minute)",
        )

    def follow(self, limits: Limits) -> None:
        """Go by other limits from now on; what was counted in this minute stays."""
        self.registrations.limit = limits.registrations_per_minute
        self.strangers.limit = limits.requests_per_minute
        self.workers.limit = limits.worker_requests_per_minute

    def take(self, identity: Identity, address: str, operation: str) -> None:
        """Count a request of somebody; raises `TooMany`."""
        if identity.kind == "worker":
            self.workers.take(identity.id)
        elif not self._peers.speaks_for_many(address):
            if operation == "registerWorker":
                self.registrations.take(address)
            if identity.kind == "anyone":
                self.strangers.take(address)

    @property
    def refused(self) -> int:
        """How many requests were refused."""
        return self.registrations.refused + self.strangers.refused + self.workers.refused
