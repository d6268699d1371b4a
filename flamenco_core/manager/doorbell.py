"""Let idle workers wait until there is something for them.

A worker waits at the pools it works for. When a transaction that made tasks ready is
committed, as many workers are woken as there are tasks, not all that wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

import attrs

from flamenco_core.manager.store.transaction import Pool

__all__ = ["Bell", "Doorbell"]

PASSED_ON = 3
"""So many others look when who was woken finds nothing; without a limit, a ring for a task
that is taken already would wake all that wait, one after the other."""

REMEMBERED = 10_000
"""So many pools, and workers, have a last ring of their own; that of others is for all."""


class Bell(Enum):
    """How a wait ended."""

    RUNG = "look for work"
    QUIET = "the time is over"
    LEAVE = "do not wait any more"


@attrs.define(eq=False)
class _Waiting:
    worker: str
    pools: Sequence[Pool]
    since: int
    rung: asyncio.Event = attrs.field(factory=asyncio.Event)
    is_replaced: bool = False


class Doorbell:
    """Where workers wait for work."""

    def __init__(self) -> None:
        self._rings = 0
        self._last_ring: dict[Pool, int] = {}
        self._last_wake: dict[str, int] = {}
        self._last_ring_for_all = 0
        self._to_pass_on: dict[Pool, int] = {}
        # Dicts, because they keep the order: who waits longest is woken first.
        self._by_pool: dict[Pool, dict[_Waiting, None]] = {}
        self._by_worker: dict[str, _Waiting] = {}
        self._closed = False

    @property
    def mark(self) -> int:
        """A moment to give to `wait`, taken before the look for work."""
        return self._rings

    @property
    def is_closed(self) -> bool:
        """Whether nobody may wait any more."""
        return self._closed

    def __len__(self) -> int:
        return len(self._by_worker)

    def ring(self, rings: Iterable[tuple[Pool, int]]) -> None:
        """Wake up to so many workers of each pool."""
        for pool, count in rings:
            self._note(self._last_ring, pool)
            self._to_pass_on[pool] = PASSED_ON
            for waiting in list(self._by_pool.get(pool, ()))[:count]:
                self._wake(waiting)

    def ring_for_all(self) -> None:
        """Wake everybody: there may be something, and nobody knows for whom."""
        self._rings += 1
        self._last_ring_for_all = self._rings
        for waiting in list(self._by_worker.values()):
            self._wake(waiting)

    def pass_on(self, pools: Iterable[Pool]) -> None:
        """Let others look: who was woken found nothing for itself, or has hung up.

        It may have failed the very task that rang, while the next in line could run it.
        """
        for pool in pools:
            last = self._last_ring.get(pool, 0)
            line = self._by_pool.get(pool, ())
            waiting = next((waiting for waiting in line if waiting.since < last), None)
            if waiting is not None and self._to_pass_on[pool] > 0:
                self._to_pass_on[pool] -= 1
                self._wake(waiting)

    def wake(self, worker: str) -> None:
        """Wake this worker: there is something else for it than a task."""
        self._note(self._last_wake, worker)
        if (waiting := self._by_worker.get(worker)) is not None:
            self._wake(waiting)

    def _note(self, last: dict[Any, int], whom: Any) -> None:
        self._rings += 1
        # Anew: the dict's order is that of the rings.
        last.pop(whom, None)
        last[whom] = self._rings
        while len(last) > REMEMBERED:
            oldest = next(iter(last))
            # Whoever has looked before that ring looks once more, perhaps in vain.
            self._last_ring_for_all = max(self._last_ring_for_all, last.pop(oldest))
            self._to_pass_on.pop(oldest, None)

    def close(self) -> None:
        """Wake everybody, for good."""
        self._closed = True
        for waiting in list(self._by_worker.values()):
            self._wake(waiting)

    async def wait(self, worker: str, pools: Sequence[Pool], since: int, seconds: float) -> Bell:
        """Wait for work in *pools*.

        Rings after the mark *since* count, so that none between look and wait is missed.
        A worker waits once: when it asks again, its earlier call returns at once.
        """
        if self._closed:
            return Bell.LEAVE
        if self._has_rung(worker, pools, since):
            return Bell.RUNG
        waiting = _Waiting(worker, pools, since)
        self._enter(waiting)
        try:
            async with asyncio.timeout(seconds):
                await waiting.rung.wait()
        except TimeoutError:
            return Bell.QUIET
        finally:
            self._leave(waiting)
        return Bell.LEAVE if self._closed or waiting.is_replaced else Bell.RUNG

    def _has_rung(self, worker: str, pools: Sequence[Pool], since: int) -> bool:
        if max(self._last_wake.get(worker, 0), self._last_ring_for_all) > since:
            return True
        return any(self._last_ring.get(pool, 0) > since for pool in pools)

    def _enter(self, waiting: _Waiting) -> None:
        if (earlier := self._by_worker.get(waiting.worker)) is not None:
            earlier.is_replaced = True
            self._wake(earlier)
        self._by_worker[waiting.worker] = waiting
        for pool in waiting.pools:
            self._by_pool.setdefault(pool, {})[waiting] = None

    def _wake(self, waiting: _Waiting) -> None:
        self._leave(waiting)
        waiting.rung.set()

    def _leave(self, waiting: _Waiting) -> None:
        if self._by_worker.get(waiting.worker) is waiting:
            del self._by_worker[waiting.worker]
        for pool in waiting.pools:
            waiters = self._by_pool.get(pool, {})
            waiters.pop(waiting, None)
            if not waiters:
                self._by_pool.pop(pool, None)
