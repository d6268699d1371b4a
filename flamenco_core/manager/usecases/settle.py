"""Let a job follow its tasks; part of every use case that changes one of them."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import bindparam, select, update

from flamenco_core.clock import rfc3339
from flamenco_core.domain.events import JobStatusChanged
from flamenco_core.domain.jobs import job_status
from flamenco_core.domain.statuses import JobStatus, Wanted
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store.query import Query, literal
from flamenco_core.manager.store.tables import attempts, dependencies, tasks
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules

__all__ = ["announce", "cancel_open", "let_children_go", "let_children_wait", "settle", "stamp"]

_OF_JOB = tasks.c.job_id == bindparam("job")
_OPEN = tasks.c.status.in_([literal("active"), literal("queued"), literal("soft-failed")])

_CANCEL_OPEN = Query(
    update(tasks)
    .where(_OF_JOB, _OPEN)
    .values(
        status=literal("canceled"),
        epoch=tasks.c.epoch + 1,
        activity=bindparam("activity"),
        updated_at=bindparam("now"),
    )
)
_ACTIVE = select(tasks.c.id).where(_OF_JOB, tasks.c.status == literal("active"))
_END_RUNS = Query(
    update(attempts)
    .where(attempts.c.ended_at.is_(None), attempts.c.task_id.in_(_ACTIVE))
    .values(ended_at=bindparam("now"), outcome=literal("canceled"))
)


def stamp(tx: Tx, text: str) -> str:
    """Put the time before a line, as the Manager's lines in task logs have it."""
    return f"{rfc3339(tx.now)} {text}"


def settle(
    tx: Tx,
    job: job_rows.JobState,
    rules: Rules,
    reason: str,
    *,
    refresh_tasks: bool = False,
    is_stored: bool = False,
) -> None:
    """Bring a job's status in line with its tasks and what people want; store it.

    Whoever lets a task fail must have locked the whole job: the others may be canceled.
    What *is_stored* is stored again only with another status.
    """
    before = job.status
    tally = job_rows.tally_of(tx, job)
    status = job_status(job.wanted, job.started, tally, rules.failure)
    if status is JobStatus.FAILED and rules.failure.broken_by(tally):
        # To stay: one task that is tried again does not bring back those canceled now.
        job.wanted = Wanted.FAIL
    if job.wanted is Wanted.FAIL and tally.open:
        refresh_tasks |= cancel_open(tx, job, _canceled_because("failed"))
    announce(tx, job, status, reason, refresh_tasks=refresh_tasks)
    if not is_stored or status is not before:
        job_rows.save_state(tx, job)


def announce(
    tx: Tx, job: job_rows.JobState, status: JobStatus, reason: str, *, refresh_tasks: bool = False
) -> None:
    """Give a job another status, with the event; the caller stores it."""
    previous, job.status = job.status, status
    if previous is status:
        return
    job.activity = f'Changed to status "{status}": {reason}'
    tx.emit(
        JobStatusChanged(
            job=job_rows.job_facts(tx, job),
            previous_status=previous,
            reason=reason,
            refresh_tasks=refresh_tasks,
        )
    )


def cancel_open(tx: Tx, job: job_rows.JobState, activity: str) -> bool:
    """Cancel all tasks of a job that are not at an end; return whether there were any.

    Their epochs grow, so whatever their workers still say changes nothing. The whole job
    must be locked.
    """
    tx.run(_END_RUNS, job=job.id, now=tx.now)
    count = tx.run(_CANCEL_OPEN, job=job.id, activity=activity, now=tx.now)
    lane_rows.close_all(tx, job.id)
    job.canceled += count
    return count > 0


def _canceled_because(status: str) -> str:
    return f'Manager cancelled this task because the job got status "{status}".'


_CHILDREN = select(dependencies.c.task_id).where(dependencies.c.parent_id == bindparam("task"))
_MORE_PARENTS = Query(
    update(tasks)
    .where(tasks.c.id.in_(_CHILDREN))
    .values(unfinished_parents=tasks.c.unfinished_parents + bindparam("more"))
    .returning(tasks.c.lane_id, tasks.c.ready)
)


def let_children_go(tx: Tx, task: int, *, job_runs: bool) -> None:
    """Tell the children of a completed task that they wait for one parent less."""
    children = tx.all(_MORE_PARENTS, task=task, more=-1)
    if job_runs:
        ready = Counter(child.lane_id for child in children if child.ready)
        for lane in sorted(ready):
            lane_rows.open_lane(tx, lane, ready[lane])


def let_children_wait(tx: Tx, task: int) -> None:
    """Tell the children of a task that is not completed any more that they wait for it."""
    tx.all(_MORE_PARENTS, task=task, more=1)
