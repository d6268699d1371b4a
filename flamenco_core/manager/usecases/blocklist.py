"""Say which workers get no more tasks of a type from a job, and let them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs
from sqlalchemy import bindparam, select

from flamenco_core.domain.events import BlockFacts, JobBlocklistChanged
from flamenco_core.errors import BadRequest
from flamenco_core.manager.store import blocks as block_rows
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import NEVER, lanes
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "NewBlock",
    "add_to_blocklist",
    "blocklist_of_worker",
    "clear_worker",
    "expire_blocks",
    "remove_from_blocklist",
    "tell_blocked",
]


@attrs.frozen(kw_only=True)
class NewBlock:
    """A worker that a person wants blocked; ``seconds`` is for how long, None for ever."""

    worker: str
    task_type: str
    reason: str = ""
    seconds: int | None = None


def blocklist_of_worker(tx: Tx, worker_id: str) -> list[Row]:
    """Return a worker's entries on the blocklists of all jobs; raises `NotFound`."""
    return block_rows.blocks_of_worker(tx, worker_rows.worker_by_uuid(tx, worker_id).id)


# -- adding --------------------------------------------------------------------------------

_TYPES = Query(select(lanes.c.task_type).where(lanes.c.job_id == bindparam("job")).distinct())


def add_to_blocklist(tx: Tx, job_id: str, new: Sequence[NewBlock], by: str) -> None:
    """Block workers by hand; what is on the list already is replaced.

    A task that such a worker runs goes on. Raises `NotFound`, or `BadRequest` for a task type
    that the job has not.
    """
    job = job_rows.lock_job(tx, job_id)
    types = sorted(row.task_type for row in tx.all(_TYPES, job=job.id))
    for block in new:
        if block.task_type not in types:
            raise BadRequest(
                f"job {job.name!r} has no tasks of type {block.task_type!r:.60}; it has:"
                f" {', '.join(types)}"
            )
        _add(tx, job.id, block, by)
    wanted = {(block.worker, block.task_type) for block in new}
    _tell_added(tx, job, [row for row in _rows(tx, job) if _key(row) in wanted])


def _add(tx: Tx, job: int, block: NewBlock, by: str) -> None:
    worker, by = worker_rows.worker_by_uuid(tx, block.worker), by or "somebody"
    block_rows.insert_block(
        tx,
        job=job,
        worker=worker.id,
        task_type=block.task_type,
        reason=block.reason or f"{by} said so",
        added_by=by,
        expires_at=NEVER if block.seconds is None else tx.now + block.seconds * 1_000_000,
        replace=True,
    )


def tell_blocked(tx: Tx, job: job_rows.JobState, worker: int, task_type: str) -> None:
    """Tell that a worker is on a job's blocklist from now on."""
    rows = _rows(tx, job)
    here = [row for row in rows if (row.worker_id, row.task_type) == (worker, task_type)]
    _tell_added(tx, job, here)


def _tell_added(tx: Tx, job: job_rows.JobState, rows: Iterable[Row]) -> None:
    added = tuple(map(_facts, rows))
    tx.emit(JobBlocklistChanged(job=job_rows.job_facts(tx, job), added=added))


# -- removing ------------------------------------------------------------------------------


def remove_from_blocklist(tx: Tx, job_id: str, entries: Iterable[tuple[str, str]]) -> None:
    """Let workers (UUIDs) have tasks of a type from a job again.

    What is not on the list is passed over. Raises `NotFound` for an unknown job.
    """
    job = job_rows.lock_job(tx, job_id)
    wanted = {(worker, task_type.lower()) for worker, task_type in entries}
    _remove(tx, job, [row for row in _rows(tx, job) if _key(row) in wanted])


def expire_blocks(tx: Tx, job_id: str) -> None:
    """Take those off a job's blocklist whose time is over; raises `NotFound`."""
    job = job_rows.lock_job(tx, job_id)
    _remove(tx, job, [row for row in _rows(tx, job) if row.expires_at <= tx.now], "expired")


def clear_worker(tx: Tx, worker_id: str, job_ids: Iterable[str]) -> None:
    """Take a worker off the blocklists of these jobs; raises `NotFound`."""
    worker_rows.worker_by_uuid(tx, worker_id)
    # In one order, as everybody locks several jobs.
    for job_id in sorted(set(job_ids)):
        job = job_rows.lock_job(tx, job_id)
        _remove(tx, job, [row for row in _rows(tx, job) if row.worker_uuid == worker_id])


def _remove(tx: Tx, job: job_rows.JobState, rows: Sequence[Row], why: str = "") -> None:
    if not rows:
        return
    for row in rows:
        block_rows.remove_block(tx, job=job.id, worker=row.worker_id, task_type=row.task_type)
        # An idle worker may be waiting for just this.
        tx.wake(row.worker_uuid)
    if job.runs:
        lane_rows.reopen(tx, job.id)
    removed = tuple(map(_facts, rows))
    facts = job_rows.job_facts(tx, job)
    tx.emit(JobBlocklistChanged(job=facts, removed=removed, reason=why))


def _rows(tx: Tx, job: job_rows.JobState) -> list[Row]:
    return block_rows.blocks_of_job(tx, job.uuid)


def _key(row: Row) -> tuple[str, str]:
    return row.worker_uuid, row.task_type


def _facts(row: Row) -> BlockFacts:
    return BlockFacts(
        worker_id=row.worker_uuid,
        worker_name=row.worker_name,
        task_type=row.task_type,
        reason=row.reason,
        expires_at=None if row.expires_at == NEVER else row.expires_at,
    )
