"""Whether this Manager can do its work: whether what it stores gets to the disk."""

from __future__ import annotations

import asyncio

from flamenco_core.clock import Clock
from flamenco_core.errors import FlamencoError
from flamenco_core.manager.store.database import Database
from flamenco_core.manager.store.ids import next_ids

__all__ = ["Readiness"]

FRESH = 1.0
"""Seconds for which an answer holds: anybody may ask, and each look is a write."""
PATIENCE = 2.0
"""Seconds after which a database that does not answer counts as away."""


class Readiness:
    """Finds out by writing something; a full disk is not seen by reading."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = asyncio.Lock()
        self._until = float("-inf")
        self._is_ready = False
        self.damage = ""
        """What is wrong with the data, if anything was found."""

    async def check(self) -> bool:
        """Return whether changes can be stored at the moment, in a sound database."""
        async with self._lock:
            if self._clock.monotonic() >= self._until:
                self._is_ready = await self._look()
                self._until = self._clock.monotonic() + FRESH
            return self._is_ready and not self.damage

    async def _look(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                # To reserve no ids at all is still a change that goes to the disk.
                await self._database.brief(next_ids, "jobs", 0)
        except (FlamencoError, TimeoutError):
            return False
        return self._database.has_space()
