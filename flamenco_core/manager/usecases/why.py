"""Say why the tasks of a job are not at work."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
from sqlalchemy import bindparam, or_, select

from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.why import Able, Need, why_waiting
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Query, Row, literal
from flamenco_core.manager.store.tables import attempts, blocks, failures, tasks, worker_tags
from flamenco_core.manager.store.transaction import Tx

__all__ = ["Reason", "why_job"]

SHOWN = 10
"""So many tasks are named for each reason; the others are counted."""

_OF_JOB = tasks.c.job_id == bindparam("job")
_WAITING = Query(
    select(
        tasks.c.id,
        tasks.c.uuid,
        tasks.c.name,
        tasks.c.type,
        tasks.c.status,
        tasks.c.unfinished_parents,
    )
    .where(
        _OF_JOB,
        or_(*(tasks.c.status == literal(word) for word in ("queued", "soft-failed", "paused"))),
    )
    .order_by(tasks.c.id)
)
_FAILURES = Query(
    select(failures.c.task_id, failures.c.worker_id)
    .join(tasks, tasks.c.id == failures.c.task_id)
    .where(_OF_JOB)
)
_BLOCKS = Query(
    select(blocks.c.worker_id, blocks.c.task_type).where(blocks.c.job_id == bindparam("job"))
)
_TAGGED = Query(select(worker_tags.c.worker_id, worker_tags.c.tag_id))
_BUSY = Query(select(attempts.c.worker_id).where(attempts.c.ended_at.is_(None)))


@attrs.define(kw_only=True)
class Reason:
    """Why some tasks wait: how many, and the first of them (UUID, name)."""

    words: str
    count: int = 0
    tasks: list[tuple[str, str]] = attrs.field(factory=list)


def why_job(tx: Tx, job_id: str) -> tuple[Row, list[Reason]]:
    """Return the job with this UUID, and why its tasks wait; raises `NotFound`."""
    job = job_rows.job_by_uuid(tx, job_id)
    reasons: dict[str, Reason] = {}
    for task, words in _waiting(tx, job):
        reason = reasons.setdefault(words, Reason(words=words))
        reason.count += 1
        if len(reason.tasks) < SHOWN:
            reason.tasks.append((task.uuid, task.name))
    return job, list(reasons.values())


def _waiting(tx: Tx, job: Row) -> Iterator[tuple[Row, str]]:
    found = tx.all(_WAITING, job=job.id)
    if not found:
        return
    whole_job = _of_the_job(job)
    workers, tag_name = _workers(tx, job.id), _tag_name(tx, job)
    failed = _grouped(tx.all(_FAILURES, job=job.id))
    known: dict[Need, str] = {}
    for task in found:
        need = Need(
            task_type=task.type,
            tag=job.tag_id,
            tag_name=tag_name,
            failed_by=frozenset(failed.get(task.id, ())),
        )
        if need not in known:
            known[need] = why_waiting(need, workers)
        yield task, whole_job or _of_the_task(task) or known[need]


def _of_the_job(job: Row) -> str:
    if job.delete_requested_at is not None:
        return "the job is being deleted"
    if job.wanted != "run":
        return f"the job is {job.status}; queue it again to go on"
    return ""


def _of_the_task(task: Row) -> str:
    if task.status == "paused":
        return "the task is paused; queue it again to go on"
    if task.unfinished_parents:
        return "waits for tasks that come before it"
    return ""


def _tag_name(tx: Tx, job: Row) -> str:
    row = tag_rows.tag_by_uuid(tx, job.tag_uuid) if job.tag_uuid else None
    return row.name if row else ""


def _workers(tx: Tx, job: int) -> list[Able]:
    tagged, blocked = _grouped(tx.all(_TAGGED)), _grouped(tx.all(_BLOCKS, job=job))
    busy = {row.worker_id for row in tx.all(_BUSY)}
    return [
        Able(
            id=row.id,
            name=row.name,
            status=WorkerStatus(row.status),
            task_types=frozenset(json.loads(row.task_types)),
            tags=frozenset(tagged.get(row.id, ())),
            blocked=frozenset(blocked.get(row.id, ())),
            is_busy=row.id in busy,
            wanted=row.status_requested,
        )
        for row in worker_rows.all_workers(tx)
    ]


def _grouped(pairs: Iterable[Row]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
