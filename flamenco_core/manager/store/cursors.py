"""Where a worker starts to look for work; see `tables` for the idea.

Both databases keep the same promise: every open lane before a cursor was seen, and had
nothing for the worker. On PostgreSQL somebody may open a lane at the same time, unseen. So
whoever opens one holds a lock until the commit, which many can do at once; whoever sets a
cursor, which is rare, takes that lock alone before it looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, insert, literal_column, select, tuple_

from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import cursors
from flamenco_core.manager.store.transaction import Pool, Tx

__all__ = [
    "END",
    "START",
    "Place",
    "behind",
    "cursors_of",
    "forget_cursors",
    "own_lanes",
    "place_of",
    "set_cursors",
    "share_lanes",
]

Place = tuple[int, int, int, int]
"""Job rank, task rank, turn, lane: where a lane stands in its pool."""

FAR = 2**62
START: Place = (-FAR, -FAR, -FAR, -FAR)
END: Place = (FAR, FAR, FAR, FAR)


def place_of(columns: Any) -> tuple[Any, ...]:
    """Return the columns of `lanes` that make up a place."""
    return columns.job_rank, columns.task_rank, columns.turn, columns.id


def behind(columns: Any, name: str) -> Any:
    """Return the condition that a lane stands at the place with this name, or behind it."""
    given = (bindparam(f"{name}_{part}", type_=BigInteger) for part in range(4))
    return tuple_(*place_of(columns)) >= tuple_(*given)


_LOCK = 0x666C_0001
"""PostgreSQL's number of the lock; each database has its own numbers."""
_SHARE = Query(select(func.pg_advisory_xact_lock_shared(literal_column(str(_LOCK)))))
_OWN = Query(select(func.pg_advisory_xact_lock(literal_column(str(_LOCK)))))


def share_lanes(tx: Tx) -> None:
    """Let nobody set a cursor until this transaction ends; before opening a lane."""
    if tx.shared:
        tx.run(_SHARE)


def own_lanes(tx: Tx) -> None:
    """Let nobody open a lane until this transaction ends; before looking and setting cursors.

    Whoever calls this may have locked a worker, but no job, task or lane.
    """
    if tx.shared:
        tx.run(_OWN)


_OF_WORKER = Query(select(cursors).where(cursors.c.worker_id == bindparam("worker")))
_REMOVE = Query(delete(cursors).where(cursors.c.worker_id == bindparam("worker")))
_ADD = Query(insert(cursors).values({column.name: bindparam(column.name) for column in cursors.c}))
_FORGET = Query(
    delete(cursors).where(
        cursors.c.tag_id == bindparam("tag"),
        cursors.c.task_type == bindparam("task_type"),
        tuple_(cursors.c.job_rank, cursors.c.task_rank, cursors.c.turn, cursors.c.lane_id)
        > tuple_(*(bindparam(f"at_{part}", type_=BigInteger) for part in range(4))),
    )
)


def cursors_of(tx: Tx, worker: int) -> dict[Pool, Place]:
    """Return the places from which a worker looks for work."""
    return {
        (row.tag_id, row.task_type): (row.job_rank, row.task_rank, row.turn, row.lane_id)
        for row in tx.all(_OF_WORKER, worker=worker)
    }


def set_cursors(tx: Tx, worker: int, places: Mapping[Pool, Place]) -> None:
    """Let a worker look for work from these places on, after `own_lanes`."""
    tx.run(_REMOVE, worker=worker)
    tx.many(
        _ADD,
        [
            {
                "worker_id": worker,
                "tag_id": tag,
                "task_type": task_type,
                "job_rank": place[0],
                "task_rank": place[1],
                "turn": place[2],
                "lane_id": place[3],
            }
            for (tag, task_type), place in places.items()
        ],
    )


def forget_cursors(tx: Tx, pool: Pool, place: Sequence[int]) -> None:
    """Let everybody look at the lane that was opened at this place, after `share_lanes`."""
    at = {f"at_{part}": number for part, number in enumerate(place)}
    tx.run(_FORGET, tag=pool[0], task_type=pool[1], **at)
