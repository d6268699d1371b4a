"""Lanes: what can be given to whom, in which order. See `tables` for the idea."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, exists, func, insert, select, update

from flamenco_core.manager.store.cursors import forget_cursors, place_of, share_lanes
from flamenco_core.manager.store.query import Query, Row, literal, one, zero
from flamenco_core.manager.store.tables import jobs, lanes, tags, tasks
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "close_all",
    "close_if_empty",
    "insert_lanes",
    "is_empty",
    "last_turn",
    "open_lane",
    "reopen",
    "set_job_priority",
    "set_job_tag",
    "shut_by_mistake",
    "to_the_back",
    "waiting_lanes",
]

_LOCK = Query(select(lanes.c.id).where(lanes.c.id == bindparam("lane")).with_for_update())
_IS_EMPTY = Query(
    select(~exists().where(tasks.c.lane_id == bindparam("lane"), tasks.c.ready == one))
)
_CLOSE = Query(update(lanes).where(lanes.c.id == bindparam("lane")).values(open=zero))


def is_empty(tx: Tx, lane: int) -> bool:
    """Say whether nothing in a lane is ready."""
    return bool(tx.value(_IS_EMPTY, lane=lane))


def close_if_empty(tx: Tx, lane: int) -> bool:
    """Close a lane in which nothing is ready; return whether it was empty.

    The lane is locked before the look, and `open_lane` locks it before it says open: so
    whoever makes a task ready at this moment is seen, or sees the closed lane.
    """
    if not is_empty(tx, lane):
        return False
    if tx.shared:
        tx.run(_LOCK, lane=lane)
        if not is_empty(tx, lane):
            return False
    tx.run(_CLOSE, lane=lane)
    return True


_OPEN = Query(
    update(lanes)
    .where(lanes.c.id == bindparam("lane"))
    .values(open=one)
    .returning(lanes.c.tag_id, lanes.c.task_type, *place_of(lanes.c))
)


def open_lane(tx: Tx, lane: int, ready: int = 1) -> None:
    """Open a lane, because of tasks in it that are ready now; wake that many idle workers."""
    share_lanes(tx)
    tag, task_type, *place = tx.one(_OPEN, lane=lane) or _vanished(lane)
    forget_cursors(tx, (tag, task_type), place)
    tx.ring((tag, task_type), ready)


def _vanished(lane: int) -> Any:
    raise AssertionError(f"lane row {lane} vanished")


_READY = Query(
    select(lanes.c.id, func.count().label("ready"))
    .join(tasks, and_(tasks.c.lane_id == lanes.c.id, tasks.c.ready == one))
    .where(lanes.c.job_id == bindparam("job"))
    .group_by(lanes.c.id)
)


def reopen(tx: Tx, job: int) -> None:
    """Open those lanes of a job in which something is ready."""
    for lane in tx.all(_READY, job=job):
        open_lane(tx, lane.id, lane.ready)


_SHUT = Query(
    select(lanes.c.job_id)
    .where(
        lanes.c.open == zero,
        exists().where(tasks.c.lane_id == lanes.c.id, tasks.c.ready == one),
    )
    .distinct()
)


def shut_by_mistake(tx: Tx) -> set[int]:
    """Return the jobs with a closed lane in which something is ready, if they run at all."""
    return {row.job_id for row in tx.all(_SHUT)}


_CLOSE_ALL = Query(update(lanes).where(lanes.c.job_id == bindparam("job")).values(open=zero))


def close_all(tx: Tx, job: int) -> None:
    """Close all lanes of a job: nothing of it is given out any more."""
    tx.run(_CLOSE_ALL, job=job)


_INSERT = Query(insert(lanes).values({column.name: bindparam(column.name) for column in lanes.c}))


def insert_lanes(tx: Tx, rows: list[dict[str, Any]]) -> None:
    """Insert the lanes of a new job."""
    tx.many(_INSERT, rows)


_LAST_TURN = Query(select(func.coalesce(func.max(lanes.c.turn), 0)))


def last_turn(tx: Tx) -> int:
    """Return the highest turn; a new lane takes it and so stands behind the others."""
    return int(tx.value(_LAST_TURN))


_TO_THE_BACK = Query(
    update(lanes).where(lanes.c.job_id == bindparam("job")).values(turn=bindparam("turn"))
)


def to_the_back(tx: Tx, job: int) -> None:
    """Let other jobs' lanes of the same priorities go first."""
    tx.run(_TO_THE_BACK, job=job, turn=last_turn(tx) + 1)


_SET_RANK = Query(
    update(lanes).where(lanes.c.job_id == bindparam("job")).values(job_rank=bindparam("rank"))
)
_OPEN_OF_JOB = Query(
    select(lanes.c.id).where(lanes.c.job_id == bindparam("job"), lanes.c.open == one)
)
_SET_TAG = Query(
    update(lanes).where(lanes.c.job_id == bindparam("job")).values(tag_id=bindparam("tag"))
)


def set_job_priority(tx: Tx, job: int, priority: int) -> None:
    """Move a job's lanes to another priority: a few rows, however many tasks it has."""
    tx.run(_SET_RANK, job=job, rank=-priority)
    for lane in tx.all(_OPEN_OF_JOB, job=job):
        # Its place is another one: nobody may believe to have passed it.
        open_lane(tx, lane.id, ready=0)


def set_job_tag(tx: Tx, job: int, tag: int) -> None:
    """Give a job's lanes to the workers of another tag (0: all workers).

    Whoever wants them given out must `reopen` them: idle workers of the tag know nothing
    of them.
    """
    tx.run(_SET_TAG, job=job, tag=tag)


_WAITING = (
    select(
        lanes,
        tags.c.name.label("tag_name"),
        jobs.c.uuid.label("job_uuid"),
        jobs.c.name.label("job_name"),
        jobs.c.activity,
    )
    .join(jobs, jobs.c.id == lanes.c.job_id)
    .join(tags, tags.c.id == lanes.c.tag_id, isouter=True)
    .where(
        lanes.c.open == one,
        jobs.c.wanted == literal("run"),
        jobs.c.delete_requested_at.is_(None),
    )
    .order_by(*place_of(lanes.c))
)
_ALL_WAITING = Query(_WAITING)
_WAITING_OF_JOB = Query(_WAITING.where(lanes.c.job_id == bindparam("job")))


def waiting_lanes(tx: Tx, job: int | None = None) -> list[Row]:
    """Return the open lanes of jobs that run, or of one job, with its name and its tag's."""
    return tx.all(_ALL_WAITING) if job is None else tx.all(_WAITING_OF_JOB, job=job)
