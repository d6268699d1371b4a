"""A clock whose time is moved by hand."""

from __future__ import annotations

import anyio
from anyio.lowlevel import checkpoint

__all__ = ["FakeClock"]

_TURNS = 20


class FakeClock:
    """Stands still until it is moved; sleepers wake in the order of their times."""

    def __init__(self, monotonic: float = 1000.0, now: int = 1_775_037_600_000_000) -> None:
        self._monotonic = monotonic
        self._now = now
        self._sleepers: list[tuple[float, anyio.Event]] = []

    def monotonic(self) -> float:
        """Return seconds."""
        return self._monotonic

    def now(self) -> int:
        """Return microseconds since 1970, UTC."""
        return self._now

    @property
    def sleeping(self) -> list[float]:
        """How many seconds each sleeper still has to wait, in order."""
        return sorted(until - self._monotonic for until, _ in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved by *seconds*."""
        if seconds <= 0:
            await checkpoint()
            return
        sleeper = (self._monotonic + seconds, anyio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    async def advance(self, seconds: float) -> None:
        """Move the clock; let each sleeper act at its own moment before going on."""
        end = self._monotonic + seconds
        await _settle()
        while due := [until for until, _ in self._sleepers if until <= end]:
            self.set(max(min(due), self._monotonic))
            await _settle()
        self.set(end)
        await _settle()

    def set(self, monotonic: float) -> None:
        """Move the clock to a moment, at once; sleepers wake but have not yet acted."""
        self._now += round((monotonic - self._monotonic) * 1_000_000)
        self._monotonic = monotonic
        for until, event in self._sleepers:
            if until <= monotonic:
                event.set()


async def _settle() -> None:
    # Everybody who can go on does, until all wait for something. anyio looks ten times a
    # second; most need a few turns of the loop only.
    for _ in range(_TURNS):
        await checkpoint()
    await anyio.wait_all_tasks_blocked()
