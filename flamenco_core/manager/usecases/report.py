"""Take in what a worker says of its task."""

from __future__ import annotations

import attrs

from flamenco_core.domain.events import JobUpdated, TaskProgressed, TaskStatusChanged
from flamenco_core.domain.statuses import TaskStatus, Wanted
from flamenco_core.domain.tasks import Answer, Outcome, Standing, answer_to, returned_to
from flamenco_core.errors import BadRequest, Conflict, StaleMessage
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.fail import fail_task
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.schedule import (
    AssignedRun,
    Nothing,
    StatusRequested,
    schedule_task,
)
from flamenco_core.manager.usecases.settle import let_children_go, settle

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
    # One failure more may be the end of all the job's tasks.
    task = task_rows.reported_task(tx, task_id, whole_job=report.status is TaskStatus.FAILED)
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
    worker_rows.lock_worker(tx, worker_id)
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
    if new is TaskStatus.QUEUED:
        new = returned_to(task.job_wanted == Wanted.PAUSE)
    steps = _steps(task, report, new)
    if new is TaskStatus.FAILED:
        activity = task.activity if report.activity is None else report.activity
        seq = task.seq if report.seq is None else report.seq
        fail_task(tx, task, rules, activity=activity, seq=seq, steps=steps)
    else:
        _change(tx, task, report, new, steps, rules)


def _steps(task: Row, report: Report, new: TaskStatus) -> int:
    if new is TaskStatus.COMPLETED:
        return int(task.steps_total)
    if new is TaskStatus.QUEUED:
        return 0
    said = task.steps_completed if report.steps_completed is None else report.steps_completed
    return max(0, min(int(said), int(task.steps_total)))


def _change(tx: Tx, task: Row, report: Report, new: TaskStatus, steps: int, rules: Rules) -> None:
    old = TaskStatus(task.status)
    _save(tx, task, report, new, steps)
    if new is old and steps == task.steps_completed:
        return
    if new is not old:
        _end_run(tx, task, new)
    _tell(tx, task, report, new, steps)
    # The job last: others that report of its tasks wait for it.
    job = job_rows.count_in(tx, task.job_id, old, new, steps - task.steps_completed)
    before = job.status
    settle(tx, job, rules, f"task became {new}", is_stored=True)
    if job.status is before and steps != task.steps_completed:
        tx.emit(JobUpdated(job_rows.job_facts(tx, job)))


def _end_run(tx: Tx, task: Row, new: TaskStatus) -> None:
    known = {member.value: member for member in Outcome}
    task_rows.end_attempt(tx, task.id, task.epoch, known.get(new.value, Outcome.RETURNED))
    runs = task.job_wanted == Wanted.RUN and task.job_delete_requested_at is None
    if new is TaskStatus.COMPLETED and task.has_children:
        let_children_go(tx, task.id, job_runs=runs)
    if new is TaskStatus.QUEUED and runs:
        lane_rows.open_lane(tx, task.lane_id)


def _save(tx: Tx, task: Row, report: Report, status: TaskStatus, steps: int) -> None:
    task_rows.save_report(
        tx,
        task.id,
        status=status,
        seq=report.seq if report.seq is not None else task.seq,
        activity=report.activity if report.activity is not None else task.activity,
        steps=steps,
    )


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
