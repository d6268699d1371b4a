"""Take in what a worker says of its task."""

from __future__ import annotations

import attrs

from flamenco_core.domain.events import TaskProgressed, TaskStatusChanged
from flamenco_core.domain.failures import FailureFacts, verdict_on
from flamenco_core.domain.statuses import TaskStatus, Wanted
from flamenco_core.domain.tasks import Answer, Outcome, Standing, answer_to
from flamenco_core.errors import BadRequest, Conflict, StaleMessage
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.schedule import (
    AssignedRun,
    Nothing,
    StatusRequested,
    schedule_task,
)
from flamenco_core.manager.usecases.settle import let_children_go, settle, stamp

__all__ = ["Accepted", "Report", "check_report", "report_and_schedule", "report_task"]


@attrs.frozen(kw_only=True)
class Report:
    """A worker's message about its task, without the log text.

    ``epoch`` and ``seq`` are missing from Flamenco's own Workers; then the run is the one
    last given to this worker.
    """

    status: TaskStatus | None = None
    activity: str | None = None
    steps_completed: int | None = None
    epoch: int | None = None
    seq: int | None = None


@attrs.frozen
class Accepted:
    """Whose log the message's text belongs to."""

    job_id: str
    epoch: int


def report_task(tx: Tx, worker_id: str, task_id: str, report: Report, rules: Rules) -> Accepted:
    """Apply a message; one that was applied before changes nothing.

    Raises `NotFound` for an unknown task, `StaleMessage` when the task is not the
    worker's any more, `BadRequest` for a status that is not for workers to say.
    """
    if report.status is TaskStatus.SOFT_FAILED:
        raise BadRequest("whether a failed task is tried again is for the Manager to say")
    task = task_rows.reported_task(tx, task_id)
    if _answer(task, worker_id, report) is Answer.APPLY:
        _apply(tx, task, report, rules)
    return Accepted(task.job_uuid, task.epoch)


def check_report(tx: Tx, worker_id: str, task_id: str, report: Report) -> Accepted:
    """Say whose log a message's text belongs to, changing nothing; raises as `report_task`."""
    task = task_rows.reported_task(tx, task_id)
    _answer(task, worker_id, report)
    return Accepted(task.job_uuid, task.epoch)


def report_and_schedule(
    tx: Tx, worker_id: str, task_id: str, report: Report, rules: Rules
) -> tuple[Accepted, AssignedRun | StatusRequested | Nothing]:
    """Apply a message and give the next task, in one transaction and one round trip."""
    accepted = report_task(tx, worker_id, task_id, report, rules)
    try:
        return accepted, schedule_task(tx, worker_id, rules)
    except Conflict:
        # Not awake: no task, but what it reported stands.
        return accepted, Nothing()


def _answer(task: Row, worker_id: str, report: Report) -> Answer:
    standing = Standing(
        status=TaskStatus(task.status),
        epoch=task.epoch,
        seq=task.seq,
        is_its_own=task.worker_uuid == worker_id,
        outcome=Outcome(task.outcome) if task.outcome else None,
    )
    answer = answer_to(standing, epoch=report.epoch, seq=report.seq, status=report.status)
    if answer is Answer.STALE:
        raise StaleMessage(
            f"task {task.uuid} is not assigned to you (any more); stop working on it"
        )
    return answer


def _apply(tx: Tx, task: Row, report: Report, rules: Rules) -> None:
    new = report.status or TaskStatus(task.status)
    steps = task.steps_completed
    if report.steps_completed is not None:
        steps = max(0, min(report.steps_completed, task.steps_total))
    if new is TaskStatus.FAILED:
        _fail(tx, task, report, steps, rules)
        return
    if new is TaskStatus.COMPLETED:
        steps = task.steps_total
    elif new is TaskStatus.QUEUED:
        steps = 0
    _change(tx, task, report, new, steps, rules)


def _change(tx: Tx, task: Row, report: Report, new: TaskStatus, steps: int, rules: Rules) -> None:
    old = TaskStatus(task.status)
    if old is not TaskStatus.ACTIVE and new is TaskStatus.ACTIVE:
        # A run that was given up for lost reports: what it says counts, but the task stays
        # in the queue until its result comes or another worker takes it.
        new = old
    _save(tx, task, report, new, steps)
    if new is old and steps == task.steps_completed:
        return
    if new is not old:
        _end_run(tx, task, new)
    job = job_rows.load_state(tx, task.job_id)
    _count(job, old, new, steps - task.steps_completed)
    if new is TaskStatus.COMPLETED and task.has_children:
        let_children_go(tx, job, task.id)
    if new is TaskStatus.QUEUED and job.runs:
        lane_rows.ring_ready(tx, task.id)
    _tell(tx, task, report, new, steps)
    settle(tx, job, rules, f"task became {new}")


def _save(tx: Tx, task: Row, report: Report, status: TaskStatus, steps: int) -> None:
    task_rows.save_report(
        tx,
        task.id,
        status=status,
        seq=report.seq if report.seq is not None else task.seq,
        activity=report.activity if report.activity is not None else task.activity,
        steps=steps,
    )


def _end_run(tx: Tx, task: Row, new: TaskStatus) -> None:
    if new is TaskStatus.ACTIVE:
        return
    known = {member.value: member for member in Outcome}
    outcome = known.get(new.value, Outcome.RETURNED)
    task_rows.end_attempt(tx, task.id, task.epoch, outcome)


def _count(job: job_rows.JobState, old: TaskStatus, new: TaskStatus, steps: int) -> None:
    job.steps_completed += steps
    for status, change in ((old, -1), (new, 1)):
        if status in {
            TaskStatus.COMPLETED,
            TaskStatus.FAILED,
            TaskStatus.CANCELED,
            TaskStatus.PAUSED,
        }:
            setattr(job, status.value, getattr(job, status.value) + change)


def _tell(tx: Tx, task: Row, report: Report, new: TaskStatus, steps: int) -> None:
    facts = task_rows.task_facts(
        task,
        status=new,
        steps_completed=steps,
        updated=tx.now,
        activity=report.activity if report.activity is not None else task.activity,
    )
    if new == task.status:
        tx.emit(TaskProgressed(facts))
    else:
        tx.emit(TaskStatusChanged(task=facts, previous_status=TaskStatus(task.status)))


def _fail(tx: Tx, task: Row, report: Report, steps: int, rules: Rules) -> None:
    worker = task.attempt_worker
    job = job_rows.load_state(tx, task.job_id)
    task_rows.add_failure(tx, task.id, worker)
    others = worker_rows.others_able(
        tx, task=task.id, job=job.id, task_type=task.type.lower(), tag=job.tag_id
    )
    facts = FailureFacts(
        workers_failed=task_rows.workers_failed(tx, task.id),
        tasks_failed_by_worker=task_rows.failed_of_type(
            tx, worker=worker, job=job.id, task_type=task.type
        ),
        others=len(others),
    )
    verdict = verdict_on(facts, rules.limits)
    new = verdict.task
    if new is TaskStatus.SOFT_FAILED and job.is_held:
        new = TaskStatus.PAUSED  # a pause is not lost because a task fails meanwhile
    _save(tx, task, report, new, steps)
    task_rows.end_attempt(tx, task.id, task.epoch, Outcome.FAILED)
    _count(job, TaskStatus(task.status), new, steps - task.steps_completed)
    _note_failure(tx, task, facts, verdict.task, verdict.fail_job, rules)
    if verdict.block_worker:
        _block(tx, task, facts)
    if new is TaskStatus.SOFT_FAILED and job.runs:
        lane_rows.ring_ready(tx, task.id)
    if verdict.fail_job:
        job.wanted = Wanted.FAIL
    _tell(tx, task, report, new, steps)
    settle(tx, job, rules, _reason(task, verdict.fail_job))


def _block(tx: Tx, task: Row, facts: FailureFacts) -> None:
    task_rows.block(
        tx,
        job=task.job_id,
        worker=task.attempt_worker,
        task_type=task.type.lower(),
        reason=f"it failed {facts.tasks_failed_by_worker} tasks of type {task.type!r}",
    )
    text = f"worker {task.worker_name} was blocked from tasks of type {task.type!r} in this job"
    task_rows.add_note(tx, task.id, task.epoch, stamp(tx, text))


def _reason(task: Row, fail_job: bool) -> str:
    if fail_job:
        return f'no more workers left to run tasks of type "{task.type}"'
    return "too many tasks failed"


def _note_failure(
    tx: Tx, task: Row, facts: FailureFacts, status: TaskStatus, fail_job: bool, rules: Rules
) -> None:
    count = facts.workers_failed
    by = f"Task failed by {count} worker{'s' * (count != 1)}"
    if fail_job:
        text = f"{by}, and no other worker can run tasks of type {task.type!r}: the job fails"
    elif status is TaskStatus.FAILED:
        text = f"{by}: it is not tried again"
    else:
        left = rules.limits.workers_per_task - count
        text = f"{by}: another worker will try; {left} more failures and it is given up"
    task_rows.add_note(tx, task.id, task.epoch, stamp(tx, text))
