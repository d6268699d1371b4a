"""Find a task that a worker may run. See `tables` for the idea."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, exists, select, text, union_all

from flamenco_core.manager.store.blocks import blocked
from flamenco_core.manager.store.cursors import START, Place, behind, place_of
from flamenco_core.manager.store.query import Query, Row, literal, one
from flamenco_core.manager.store.tables import failures, jobs, lanes, tasks
from flamenco_core.manager.store.tasks import FOR_WORKERS
from flamenco_core.manager.store.transaction import Pool, Tx

__all__ = ["first_task", "open_lanes", "place_in", "useful_lanes"]

STATEMENTS = 256
"""So many are kept, one for each number of pools that a worker works for."""


_IS_BLOCKED = blocked(lanes.c.job_id, bindparam("worker"), lanes.c.task_type)
_CAN_RUN = (
    tasks.c.ready == one,
    ~exists().where(failures.c.task_id == tasks.c.id, failures.c.worker_id == bindparam("worker")),
)
_JOB_RUNS = (jobs.c.wanted == literal("run"), jobs.c.delete_requested_at.is_(None))
_IS_USEFUL = exists().where(tasks.c.lane_id == lanes.c.id, *_CAN_RUN)
_IN_ORDER = place_of(lanes.c)


def _lanes_of_pool(number: int, *, useful: bool) -> Select[Any]:
    found = (
        select(lanes.c.job_id, lanes.c.tag_id, lanes.c.task_type, *_IN_ORDER)
        .where(
            lanes.c.open == one,
            lanes.c.tag_id == bindparam(f"tag{number}"),
            lanes.c.task_type == bindparam(f"type{number}"),
            behind(lanes.c, f"from{number}"),
            *((~_IS_BLOCKED, _IS_USEFUL) if useful else ()),
        )
        .order_by(*_IN_ORDER)
        .limit(bindparam("most"))
        .subquery(f"pool{number}")
    )
    return select(found)


@lru_cache(STATEMENTS)
def _lanes(pools: int, *, useful: bool) -> Query:
    return Query(union_all(*(_lanes_of_pool(number, useful=useful) for number in range(pools))))


def open_lanes(
    tx: Tx, worker: int, pools: Sequence[Pool], start: Mapping[Pool, Place], most: int
) -> list[Row]:
    """Return the first lanes of each of the worker's pools, in the farm's order.

    One index look-up for each pool (tag and task type), so lanes of other tags and types
    cost nothing, however many there are. *start* says where to begin in a pool.
    """
    return _found(tx, _lanes(len(pools), useful=False), worker, pools, start, most)


def useful_lanes(
    tx: Tx, worker: int, pools: Sequence[Pool], start: Mapping[Pool, Place], most: int
) -> list[Row]:
    """Return the same as `open_lanes`, but only lanes with a task for the worker.

    That takes a look into each lane, which `open_lanes` leaves to `first_task`.
    """
    return _found(tx, _lanes(len(pools), useful=True), worker, pools, start, most)


def _found(
    tx: Tx,
    query: Query,
    worker: int,
    pools: Sequence[Pool],
    start: Mapping[Pool, Place],
    most: int,
) -> list[Row]:
    values: dict[str, Any] = {"worker": worker, "most": most}
    for number, pool in enumerate(pools):
        values[f"tag{number}"], values[f"type{number}"] = pool
        for part, at in enumerate(start.get(pool, START)):
            values[f"from{number}_{part}"] = at
    return sorted(tx.all(query, **values), key=place_in)


def place_in(lane: Row) -> Place:
    """Return where a lane that was found stands in its pool."""
    return lane.job_rank, lane.task_rank, lane.turn, lane.id


_FIRST_TASK = (
    select(
        *FOR_WORKERS,
        jobs.c.started.label("job_started"),
    )
    .join(jobs, jobs.c.id == tasks.c.job_id)
    .where(
        tasks.c.lane_id == bindparam("lane"),
        *_CAN_RUN,
        *_JOB_RUNS,
        ~blocked(tasks.c.job_id, bindparam("worker"), bindparam("task_type")),
    )
    .order_by(tasks.c.id)
    .limit(one)
)
_FIRST_TASK_OF = {
    False: Query(_FIRST_TASK),
    # Two Workers that ask at once must not wait for each other: each takes its own. The
    # job's key is held until the end, so that nobody cancels or pauses it meanwhile.
    True: Query(
        _FIRST_TASK.suffix_with(
            text("FOR NO KEY UPDATE OF tasks SKIP LOCKED FOR KEY SHARE OF jobs SKIP LOCKED")
        )
    ),
}


def first_task(tx: Tx, lane: Row, worker: int) -> Row | None:
    """Return the first task of a lane that the worker may run, locked for us.

    It is not blocked for the lane's job, and has not failed the task.
    """
    query = _FIRST_TASK_OF[tx.shared]
    return tx.one(query, lane=lane.id, task_type=lane.task_type, worker=worker)
