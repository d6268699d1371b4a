"""Say why the tasks of a job are not at work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import attrs
from sqlalchemy import bindparam, or_, select

from flamenco_core.domain.why import Need, why_waiting
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store.query import Query, Row, literal
from flamenco_core.manager.store.tables import failures, tasks
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.crew import blocked_in, crew, grouped, with_blocks

__all__ = ["SHOWN", "Reason", "explainer", "why_job"]

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
    why = explainer(tx, job)
    failed = grouped(tx.all(_FAILURES, job=job.id))
    for task in found:
        yield task, why(task, failed.get(task.id, ()))


def explainer(tx: Tx, job: Row) -> Callable[[Row, Iterable[int]], str]:
    """Return what says why a task of a job waits, given the workers that failed it."""
    whole_job, tag_name = _of_the_job(job), _tag_name(tx, job)
    workers = with_blocks(crew(tx), blocked_in(tx, job.id))
    known: dict[Need, str] = {}

    def why(task: Row, failed_by: Iterable[int]) -> str:
        need = Need(
            task_type=task.type.lower(),
            tag=job.tag_id,
            tag_name=tag_name,
            failed_by=frozenset(failed_by),
        )
        if need not in known:
            known[need] = why_waiting(need, workers)
        return whole_job or _of_the_task(task) or known[need]

    return why


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
