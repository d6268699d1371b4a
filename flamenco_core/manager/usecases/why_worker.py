"""Say why one worker is not at work."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import bindparam, select

from flamenco_core.clock import rfc3339
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.why_worker import Hurdle, Work, WorkerAlone, why_idle
from flamenco_core.manager.store import admissions, claims
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import sleep as sleep_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.blocks import IN_FORCE
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import blocks
from flamenco_core.manager.store.transaction import Tx

__all__ = ["why_worker"]

_BLOCKS = Query(
    select(blocks.c.job_id, blocks.c.task_type, blocks.c.reason).where(
        blocks.c.worker_id == bindparam("worker"), IN_FORCE
    )
)


def why_worker(tx: Tx, worker_id: str) -> tuple[Row, list[str]]:
    """Return the worker with this UUID, and why it is not at work; raises `NotFound`."""
    row = worker_rows.worker_by_uuid(tx, worker_id)
    request = worker_rows.request_of(row)
    held = task_rows.held_by(tx, row.id)
    facts = WorkerAlone(
        status=WorkerStatus(row.status),
        wanted=request.status if request else None,
        is_lazy=bool(request and request.is_lazy),
        is_pending=admissions.is_pending(tx, row.id),
        task=held[0].name if held else "",
        job=held[0].job_name if held else "",
        task_types=tuple(json.loads(row.task_types)),
        wakes_at=_wakes_at(tx, row.id),
        work=tuple(_work(tx, row)),
    )
    return row, why_idle(facts)


def _wakes_at(tx: Tx, worker: int) -> str:
    stored = sleep_rows.schedule_of(tx, worker)
    if stored is None or stored.wanted is not WorkerStatus.ASLEEP or stored.next_check is None:
        return ""
    return rfc3339(stored.next_check)


def _work(tx: Tx, worker: Row) -> Iterator[Work]:
    types = set(json.loads(worker.task_types))
    tags = {0} | {tag.id for tag in worker_rows.tags_of(tx, worker.id)}
    blocked = {
        (row.job_id, row.task_type): row.reason
        for row in tx.all(_BLOCKS, worker=worker.id, now=tx.now)
    }
    for lane in lane_rows.waiting_lanes(tx):
        hurdle = _hurdle(tx, lane, worker.id, types, tags, blocked)
        # A lane may be open and have nothing left in it.
        if hurdle is Hurdle.NONE or not lane_rows.is_empty(tx, lane.id):
            yield Work(
                job_name=lane.job_name,
                task_type=lane.task_type,
                hurdle=hurdle,
                tag_name=lane.tag_name or "",
                block_reason=blocked.get((lane.job_id, lane.task_type), ""),
            )
        if hurdle is Hurdle.NONE:
            return


def _hurdle(
    tx: Tx,
    lane: Row,
    worker: int,
    types: set[str],
    tags: set[int],
    blocked: dict[tuple[int, str], str],
) -> Hurdle:
    if lane.task_type not in types:
        return Hurdle.TYPE
    if lane.tag_id not in tags:
        return Hurdle.TAG
    if (lane.job_id, lane.task_type) in blocked:
        return Hurdle.BLOCKED
    return Hurdle.FAILED if claims.first_task(tx, lane, worker) is None else Hurdle.NONE
