"""The farm's workers, as far as it matters to who may run what."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs
from sqlalchemy import bindparam, select

from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.why import Able
from flamenco_core.manager.store import admissions
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.blocks import IN_FORCE
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import attempts, blocks, worker_tags
from flamenco_core.manager.store.transaction import Tx

__all__ = ["blocked_in", "crew", "grouped", "with_blocks"]

_TAGGED = Query(select(worker_tags.c.worker_id, worker_tags.c.tag_id))
_BUSY = Query(select(attempts.c.worker_id).where(attempts.c.ended_at.is_(None)))
_BLOCKS = Query(
    select(blocks.c.worker_id, blocks.c.task_type).where(
        blocks.c.job_id == bindparam("job"), IN_FORCE
    )
)


def crew(tx: Tx) -> list[Able]:
    """Return all workers that the farm has let in, without the blocklists of jobs."""
    pending = {id for id, known in admissions.all_admissions(tx).items() if known.is_pending}
    tagged = grouped(tx.all(_TAGGED))
    busy = {row.worker_id for row in tx.all(_BUSY)}
    return [
        Able(
            id=row.id,
            name=row.name,
            status=WorkerStatus(row.status),
            task_types=frozenset(json.loads(row.task_types)),
            tags=frozenset(tagged.get(row.id, ())),
            is_busy=row.id in busy,
            wanted=row.status_requested,
        )
        for row in worker_rows.all_workers(tx)
        if row.id not in pending
    ]


def blocked_in(tx: Tx, job: int) -> dict[int, list[str]]:
    """Return for which task types which workers are on a job's blocklist."""
    return grouped(tx.all(_BLOCKS, job=job, now=tx.now))


def with_blocks(workers: Iterable[Able], blocked: Mapping[int, Collection[str]]) -> list[Able]:
    """Return the workers as one job sees them."""
    return [
        attrs.evolve(worker, blocked=frozenset(blocked[worker.id]))
        if worker.id in blocked
        else worker
        for worker in workers
    ]


def grouped(pairs: Iterable[Row]) -> dict[Any, list[Any]]:
    """Return the second of each pair under the first."""
    found: dict[Any, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
