"""Do what people ask of jobs and tasks: cancel, pause, requeue, reorder."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, exists, func, select, update

from flamenco_core.domain.events import JobUpdated, TaskStatusChanged
from flamenco_core.domain.jobs import REQUESTS, requests_from, requeued_from
from flamenco_core.domain.statuses import DONE, JobStatus, TaskStatus, Wanted
from flamenco_core.errors import BadRequest, NotAllowed
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store.query import Query, Row, literal
from flamenco_core.manager.store.tables import attempts, blocks, dependencies, failures, jobs, tasks
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.settle import (
    announce,
    cancel_open,
    let_children_wait,
    settle,
    stamp,
)

__all__ = ["reapply_wish", "request_job_status", "request_task_status", "set_job_priority"]

_OF_JOB = tasks.c.job_id == bindparam("job")


def request_job_status(tx: Tx, job_id: str, status: JobStatus, reason: str, rules: Rules) -> None:
    """Cancel, pause or requeue the job with this UUID.

    Asking for what is so already changes nothing. Raises `NotFound`, or `NotAllowed` for
    a status that only the farm itself can say, or that this job cannot get.
    """
    job = job_rows.lock_job(tx, job_id)
    if status is job.status:
        return
    if job.delete_requested_at is not None:
        raise NotAllowed("the job is being deleted")
    possible = requests_from(job.status)
    if status not in possible:
        words = ", ".join(sorted(possible))
        raise NotAllowed(
            f"a job that is {job.status} cannot be set to {status!r} by hand; possible are: {words}"
        )
    wanted = REQUESTS[status]
    if wanted is Wanted.CANCEL:
        _cancel(tx, job, reason, rules)
    elif wanted is Wanted.PAUSE:
        _pause(tx, job, reason, rules)
    else:
        _requeue(tx, job, reason, rules)


def reapply_wish(tx: Tx, job: job_rows.JobState, reason: str, rules: Rules) -> None:
    """Do again what was asked of a locked job, where something came in between."""
    if job.wanted is Wanted.CANCEL:
        _cancel(tx, job, reason, rules)
    elif job.wanted is Wanted.PAUSE:
        _pause(tx, job, reason, rules)
    elif job.status is JobStatus.REQUEUEING:
        _requeue(tx, job, reason, rules)


def _cancel(tx: Tx, job: job_rows.JobState, reason: str, rules: Rules) -> None:
    job.wanted = Wanted.CANCEL
    announce(tx, job, JobStatus.CANCEL_REQUESTED, reason, refresh_tasks=True)
    activity = 'Manager cancelled this task because the job got status "cancel-requested".'
    cancel_open(tx, job, activity)
    _cancel_paused(tx, job, activity)
    settle(tx, job, rules, reason, refresh_tasks=True)


_CANCEL_PAUSED = Query(
    update(tasks)
    .where(_OF_JOB, tasks.c.status == literal("paused"))
    .values(
        status=literal("canceled"),
        epoch=tasks.c.epoch + 1,
        activity=bindparam("activity"),
        updated_at=bindparam("now"),
    )
)


def _cancel_paused(tx: Tx, job: job_rows.JobState, activity: str) -> None:
    count = tx.run(_CANCEL_PAUSED, job=job.id, activity=activity, now=tx.now)
    job.paused -= count
    job.canceled += count


_PAUSE = Query(
    update(tasks)
    .where(_OF_JOB, tasks.c.status.in_([literal("queued"), literal("soft-failed")]))
    .values(status=literal("paused"), activity=bindparam("activity"), updated_at=bindparam("now"))
)


def _pause(tx: Tx, job: job_rows.JobState, reason: str, rules: Rules) -> None:
    job.wanted = Wanted.PAUSE
    announce(tx, job, JobStatus.PAUSE_REQUESTED, reason, refresh_tasks=True)
    activity = 'Manager paused this task because the job got status "pause-requested".'
    job.paused += tx.run(_PAUSE, job=job.id, activity=activity, now=tx.now)
    lane_rows.close_all(tx, job.id)
    settle(tx, job, rules, reason, refresh_tasks=True)


def _requeue_these(statuses: frozenset[TaskStatus]) -> Query:
    return Query(
        update(tasks)
        .where(_OF_JOB, tasks.c.status.in_([literal(s) for s in sorted(statuses)]))
        .values(
            status=literal("queued"),
            epoch=tasks.c.epoch + 1,
            seq=0,
            lost_count=0,
            steps_completed=0,
            activity=bindparam("activity"),
            updated_at=bindparam("now"),
        )
    )


_REQUEUE = {status: _requeue_these(requeued_from(status)) for status in JobStatus}
_FORGET_FAILURES = Query(
    delete(failures).where(failures.c.task_id.in_(select(tasks.c.id).where(_OF_JOB)))
)
# What people have added stays until its time is over, or until they remove it.
_FORGET_BLOCKS = Query(
    delete(blocks).where(blocks.c.job_id == bindparam("job"), blocks.c.added_by == literal(""))
)
_parent = tasks.alias("parent")
_UNFINISHED = (
    select(func.count())
    .select_from(dependencies.join(_parent, _parent.c.id == dependencies.c.parent_id))
    .where(
        dependencies.c.task_id == tasks.c.id,
        _parent.c.status != literal("completed"),
    )
    .correlate(tasks)
    .scalar_subquery()
)
_HAS_PARENTS = exists().where(dependencies.c.task_id == tasks.c.id)
_COUNT_PARENTS = Query(
    update(tasks).where(_OF_JOB, _HAS_PARENTS).values(unfinished_parents=_UNFINISHED)
)


def _requeue(tx: Tx, job: job_rows.JobState, reason: str, rules: Rules) -> None:
    old = job.status
    announce(tx, job, JobStatus.REQUEUEING, reason, refresh_tasks=True)
    job.wanted = Wanted.RUN
    # What is at work goes on; then the job has begun already.
    job.started = job_rows.is_active(tx, job)
    activity = f'Queued because job transitioned status from "{old}" to "requeueing"'
    tx.run(_REQUEUE[old], job=job.id, activity=activity, now=tx.now)
    tx.run(_FORGET_FAILURES, job=job.id)
    tx.run(_FORGET_BLOCKS, job=job.id)
    if old is JobStatus.COMPLETED:
        tx.run(_COUNT_PARENTS, job=job.id)
    job_rows.count_tasks(tx, job)
    lane_rows.reopen(tx, job.id)
    settle(tx, job, rules, reason, refresh_tasks=True)


# -- tasks -----------------------------------------------------------------------------------

_BY_HAND = {TaskStatus.QUEUED, TaskStatus.CANCELED, TaskStatus.PAUSED}
_SET = Query(
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(
        status=bindparam("status"),
        epoch=tasks.c.epoch + 1,
        seq=0,
        lost_count=0,
        steps_completed=bindparam("steps"),
        activity=bindparam("reason"),
        updated_at=bindparam("now"),
    )
)
_END_RUN = Query(
    update(attempts)
    .where(attempts.c.task_id == bindparam("task"), attempts.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"), outcome=literal("canceled"))
)


def request_task_status(
    tx: Tx, task_id: str, status: TaskStatus, reason: str, rules: Rules
) -> None:
    """Requeue one task, or cancel or pause one that is not at its end.

    Raises `NotFound`, or `NotAllowed` for a status that only workers and the farm can say.
    """
    if status not in _BY_HAND:
        words = ", ".join(sorted(_BY_HAND))
        raise NotAllowed(f"a task cannot be set to {status!r} by hand; possible are: {words}")
    task = task_rows.reported_task(tx, task_id, whole_job=True)
    old = TaskStatus(task.status)
    if old is status:
        return
    job = job_rows.load_state(tx, task.job_id)
    _require_possible(job, old, status)
    steps = 0 if status is TaskStatus.QUEUED else task.steps_completed
    tx.run(_SET, task=task.id, status=status, reason=reason, steps=steps, now=tx.now)
    tx.run(_END_RUN, task=task.id, now=tx.now)
    job.count(old, status, steps - task.steps_completed)
    _tell_task(tx, task, status, steps, reason)
    if status is TaskStatus.QUEUED:
        _queue_task(tx, job, task, old)
    settle(tx, job, rules, f"task was set to {status}: {reason}")


def _require_possible(job: job_rows.JobState, old: TaskStatus, new: TaskStatus) -> None:
    if new is not TaskStatus.QUEUED and old in DONE:
        raise NotAllowed(f"the task is {old}; it can only be queued again")
    if job.delete_requested_at is not None:
        raise NotAllowed("the job is being deleted")
    if new is TaskStatus.QUEUED and not job.runs:
        raise NotAllowed(f"the job is {job.status}; requeue the job, which requeues this task too")


def _queue_task(tx: Tx, job: job_rows.JobState, task: Row, old: TaskStatus) -> None:
    task_rows.clear_failures(tx, task.id)
    if old is TaskStatus.COMPLETED and task.has_children:
        let_children_wait(tx, task.id)
    job.started = job.started and job.status is not JobStatus.COMPLETED
    lane_rows.open_lane(tx, task.lane_id)


def _tell_task(tx: Tx, task: Row, new: TaskStatus, steps: int, reason: str) -> None:
    text = stamp(tx, f"task changed status {task.status} -> {new}: {reason}")
    task_rows.add_note(tx, task.id, task.epoch, text)
    facts = task_rows.task_facts(
        task, status=new, activity=reason, steps_completed=steps, updated=tx.now
    )
    tx.emit(TaskStatusChanged(task=facts, previous_status=TaskStatus(task.status)))


# -- order -----------------------------------------------------------------------------------

_SET_PRIORITY = Query(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(priority=bindparam("priority"), updated_at=bindparam("now"))
)


def set_job_priority(tx: Tx, job_id: str, priority: int) -> None:
    """Give a job another priority, 0 to 100; it counts from the next claim on.

    Raises `NotFound`, or `BadRequest` for another number.
    """
    if not 0 <= priority <= 100:
        raise BadRequest(f"a priority is a number from 0 to 100, not {priority}")
    job = job_rows.lock_job(tx, job_id)
    tx.run(_SET_PRIORITY, job=job.id, priority=priority, now=tx.now)
    lane_rows.set_job_priority(tx, job.id, priority)
    job.priority = priority
    tx.emit(JobUpdated(job_rows.job_facts(tx, job)))
