"""Find what a worker could do next, in the farm's order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flamenco_core.manager.store import claims
from flamenco_core.manager.store import cursors as places
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Pool, Tx

__all__ = ["offered_tasks"]

FIRST_LOOK = 2
"""So many lanes of each pool are looked at one by one; almost always one will do."""
SECOND_LOOK = 16


def offered_tasks(tx: Tx, worker: Row, pools: Sequence[Pool]) -> Iterator[tuple[Row, Row]]:
    """Yield lanes with their first task for this locked worker, in the farm's order."""
    search = _Search(tx, worker, pools)
    yield from search.first_look()
    if search.is_there_more:
        yield from search.second_look()
    search.close_empty()


class _Search:
    def __init__(self, tx: Tx, worker: Row, pools: Sequence[Pool]) -> None:
        self._tx = tx
        self._worker = worker.id
        self._pools = pools
        self._start = places.cursors_of(tx, worker.id) if worker.passed else {}
        self._seen: set[int] = set()
        self._without: list[int] = []
        self._has_found = False
        self.is_there_more = False

    def first_look(self) -> Iterator[tuple[Row, Row]]:
        lanes = claims.open_lanes(self._tx, self._worker, self._pools, self._start, FIRST_LOOK)
        yield from self._tasks_of(lanes, FIRST_LOOK)

    def second_look(self) -> Iterator[tuple[Row, Row]]:
        # The first lanes had nothing: the database looks through the rest, however many,
        # and what it passed is remembered.
        remember = not self._has_found
        if remember:
            places.own_lanes(self._tx)
        most = SECOND_LOOK
        while self.is_there_more:
            lanes = claims.useful_lanes(self._tx, self._worker, self._pools, self._start, most)
            if remember:
                places.set_cursors(self._tx, self._worker, self._first_places(lanes))
                remember = False
            yield from self._tasks_of(lanes, most)
            most *= 4

    def close_empty(self) -> None:
        # Not at once: `own_lanes` must not be called with lanes locked.
        while self._without:
            lane_rows.close_if_empty(self._tx, self._without.pop())

    def _tasks_of(self, lanes: Sequence[Row], most: int) -> Iterator[tuple[Row, Row]]:
        self.is_there_more = most in _counts(lanes)
        for lane in _settled(lanes, most):
            if lane.id in self._seen:
                continue
            self._seen.add(lane.id)
            task = claims.first_task(self._tx, lane, self._worker)
            if task is None:
                self._without.append(lane.id)
            else:
                self._has_found = True
                self.close_empty()
                yield lane, task

    def _first_places(self, lanes: Sequence[Row]) -> dict[Pool, places.Place]:
        first = dict.fromkeys(self._pools, places.END)
        for lane in reversed(lanes):
            first[lane.tag_id, lane.task_type] = claims.place_in(lane)
        return first


def _counts(lanes: Sequence[Row]) -> Iterator[int]:
    """For each lane, yield how many of its pool have come up to it."""
    per_pool: dict[Pool, int] = {}
    for lane in lanes:
        pool = (lane.tag_id, lane.task_type)
        per_pool[pool] = per_pool.get(pool, 0) + 1
        yield per_pool[pool]


def _settled(lanes: Sequence[Row], most: int) -> Sequence[Row]:
    # A pool that returned as many lanes as it was asked for may have more, which come
    # before later lanes of other pools: only what precedes its last lane is in order.
    for number, count in enumerate(_counts(lanes)):
        if count == most:
            return lanes[: number + 1]
    return lanes
