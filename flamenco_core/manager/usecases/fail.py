"""Decide what follows when a worker says that its task failed."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from flamenco_core.domain.events import TaskStatusChanged
from flamenco_core.domain.failures import FailureFacts, Verdict, verdict_on
from flamenco_core.domain.statuses import TaskStatus, Wanted
from flamenco_core.domain.tasks import Outcome, returned_to
from flamenco_core.manager.store import blocks as block_rows
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Query, Row, literal
from flamenco_core.manager.store.tables import NEVER, lanes, tasks
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.blocklist import tell_blocked
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.settle import settle, stamp

__all__ = ["fail_task"]

EVERYBODY = 1_000_000
"""Wakes all who wait: the first may be the one that failed, and then nobody would come."""


def fail_task(tx: Tx, task: Row, rules: Rules, *, activity: str, seq: int, steps: int) -> None:
    """End a run with a failure; the whole job of the *task* is locked.

    The task is tried by others, or given up. The worker may be blocked, the job may fail.
    """
    job = job_rows.load_state(tx, task.job_id)
    facts = _facts(tx, task, job)
    verdict = verdict_on(facts, rules.limits)
    status = verdict.task
    if status is TaskStatus.SOFT_FAILED and job.is_held:
        status = TaskStatus.PAUSED  # a pause is not lost because a task fails meanwhile
    task_rows.save_report(tx, task.id, status=status, seq=seq, activity=activity, steps=steps)
    task_rows.end_attempt(tx, task.id, task.epoch, Outcome.FAILED)
    job.count(TaskStatus(task.status), status, steps - task.steps_completed)
    task_rows.add_note(tx, task.id, task.epoch, stamp(tx, _remark(task, facts, verdict, rules)))
    if verdict.block_worker:
        _block(tx, task, job, facts, verdict, rules.blocked_for)
    if status is TaskStatus.SOFT_FAILED and job.runs:
        lane_rows.open_lane(tx, task.lane_id, EVERYBODY)
    if verdict.fail_job:
        job.wanted = Wanted.FAIL
    told = task_rows.task_facts(
        task, status=status, activity=activity, steps_completed=steps, updated=tx.now
    )
    tx.emit(TaskStatusChanged(task=told, previous_status=TaskStatus(task.status)))
    settle(tx, job, rules, _reason(task, verdict))


def _facts(tx: Tx, task: Row, job: job_rows.JobState) -> FailureFacts:
    worker, task_type = task.attempt_worker, task.type.lower()
    task_rows.add_failure(tx, task.id, worker)
    others = worker_rows.others_able(
        tx, task=task.id, job=job.id, task_type=task_type, tag=job.tag_id
    )
    failed = task_rows.failed_of_type(tx, worker=worker, job=job.id, task_type=task_type)
    return FailureFacts(
        workers_failed=task_rows.workers_failed(tx, task.id),
        tasks_failed_by_worker=failed,
        others=len(others),
    )


# -- blocking -----------------------------------------------------------------------------


def _block(
    tx: Tx,
    task: Row,
    job: job_rows.JobState,
    facts: FailureFacts,
    verdict: Verdict,
    period: int,
) -> None:
    until = tx.now + period if period else NEVER
    block_rows.insert_block(
        tx,
        job=task.job_id,
        worker=task.attempt_worker,
        task_type=task.type.lower(),
        reason=f"it failed {facts.tasks_failed_by_worker} tasks of type {task.type!r}",
        expires_at=until,
    )
    tell_blocked(tx, job, task.attempt_worker, task.type.lower())
    text = f"worker {task.worker_name} was blocked from tasks of type {task.type!r} in this job"
    task_rows.add_note(tx, task.id, task.epoch, stamp(tx, text))
    if not verdict.fail_job:
        _give_back(tx, task, job, text)


_FAILED_FOR_GOOD = Query(
    select(tasks.c.id, tasks.c.uuid)
    .join(lanes, lanes.c.id == tasks.c.lane_id)
    .where(
        lanes.c.job_id == bindparam("job"),
        lanes.c.task_type == bindparam("task_type"),
        tasks.c.worker_id == bindparam("worker"),
        tasks.c.status == literal("failed"),
        tasks.c.id != bindparam("task"),
    )
    .order_by(tasks.c.id)
)
_TRY_AGAIN = Query(
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(
        status=bindparam("status"),
        steps_completed=0,
        activity=bindparam("activity"),
        updated_at=bindparam("now"),
    )
)


def _give_back(tx: Tx, task: Row, job: job_rows.JobState, reason: str) -> None:
    """Return the tasks that this worker has failed for good: it was not their fault."""
    failed = tx.all(
        _FAILED_FOR_GOOD,
        job=job.id,
        task_type=task.type.lower(),
        worker=task.attempt_worker,
        task=task.id,
    )
    for other in failed:
        able = worker_rows.others_able(
            tx, task=other.id, job=job.id, task_type=task.type.lower(), tag=job.tag_id
        )
        if able:
            _try_again(tx, task_rows.reported_task(tx, other.uuid), job, reason)


def _try_again(tx: Tx, task: Row, job: job_rows.JobState, reason: str) -> None:
    status = returned_to(job.is_held)
    activity = f"Task was {status} by Manager because {reason}"
    tx.run(_TRY_AGAIN, task=task.id, status=status, activity=activity, now=tx.now)
    job.count(TaskStatus.FAILED, status, -task.steps_completed)
    task_rows.add_note(tx, task.id, task.epoch, stamp(tx, activity))
    if job.runs:
        lane_rows.open_lane(tx, task.lane_id, EVERYBODY)
    told = task_rows.task_facts(
        task, status=status, activity=activity, steps_completed=0, updated=tx.now
    )
    tx.emit(TaskStatusChanged(task=told, previous_status=TaskStatus.FAILED))


# -- words ---------------------------------------------------------------------------------


def _reason(task: Row, verdict: Verdict) -> str:
    if verdict.fail_job:
        return f'no more workers left to run tasks of type "{task.type}"'
    return "too many tasks failed"


def _remark(task: Row, facts: FailureFacts, verdict: Verdict, rules: Rules) -> str:
    count = facts.workers_failed
    by = f"Task failed by {count} worker{'s' * (count != 1)}"
    if verdict.fail_job:
        return f"{by}, and no other worker can run tasks of type {task.type!r}: the job fails"
    if verdict.task is TaskStatus.FAILED:
        return f"{by}: it is not tried again"
    left = rules.limits.workers_per_task - count
    return f"{by}: another worker will try; {left} more failures and it is given up"
