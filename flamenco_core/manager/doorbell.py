"""Let idle workers wait until there is something for them.

A worker waits at the pools it works for. When a transaction that made tasks ready is
committed, as many workers are woken as there are tasks, not all that wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import attrs

from flamenco_core.manager.store.transaction import Pool

__all__ = ["Doorbell"]


@attrs.define(eq=False)
class _Waiting:
    worker: str
    pools: Sequence[Pool]
    rung: asyncio.Event = attrs.field(factory=asyncio.Event)


class Doorbell:
    """Where workers wait for work."""

    def __init__(self) -> None:
        self._rings = 0
        self._last_ring: dict[Pool, int] = {}
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
            self._rings += 1
            self._last_ring[pool] = self._rings
            for waiting in list(self._by_pool.get(pool, ()))[:count]:
                self._wake(waiting)

    def wake(self, worker: str) -> None:
        """Wake this worker: there is something else for it than a task."""
        if (waiting := self._by_worker.get(worker)) is not None:
            self._wake(waiting)

    def close(self) -> None:
        """Wake everybody, for good."""
        self._closed = True
        for waiting in list(self._by_worker.values()):
            self._wake(waiting)

    async def wait(self, worker: str, pools: Sequence[Pool], since: int, seconds: float) -> bool:
        """Wait for work in *pools*; return whether to look for it.

        Rings after the mark *since* count, so that none between look and wait is missed.
        """
        if self._closed:
            return False
        if any(self._last_ring.get(pool, 0) > since for pool in pools):
            return True
        waiting = _Waiting(worker, pools)
        self._enter(waiting)
        try:
            async with asyncio.timeout(seconds):
                await waiting.rung.wait()
        except TimeoutError:
            return False
        finally:
            self._leave(waiting)
        return not self._closed

    def _enter(self, waiting: _Waiting) -> None:
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
