"""The numbers of the farm, counted no more than once in a few seconds."""

from __future__ import annotations

import asyncio

from flamenco_core.clock import Clock
from flamenco_core.manager.store.database import Database
from flamenco_core.manager.usecases.count_farm import FarmCounts, count_farm

__all__ = ["Census"]

FRESH = 5.0
"""Seconds for which counts hold: who looks more often sees the same again."""


class Census:
    """Counts jobs, tasks and workers for those who watch."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = asyncio.Lock()
        self._until = float("-inf")
        self._counts: FarmCounts | None = None

    async def take(self) -> FarmCounts:
        """Return the counts, at most a few seconds old."""
        async with self._lock:
            if self._counts is None or self._clock.monotonic() >= self._until:
                self._counts = await self._database.read(count_farm)
                self._until = self._clock.monotonic() + FRESH
            return self._counts
