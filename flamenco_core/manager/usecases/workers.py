"""Let workers join, come, go and be told what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import attrs
from sqlalchemy import and_, bindparam, select, update

from flamenco_core.domain.events import (
    TaskStatusChanged,
    WorkerDeleted,
    WorkerRegistered,
    WorkerStatusChanged,
    WorkerUpdated,
)
from flamenco_core.domain.failures import MAX_LOST
from flamenco_core.domain.statuses import TaskStatus, Wanted, WorkerStatus
from flamenco_core.domain.tasks import Outcome, returned_to
from flamenco_core.domain.workers import (
    Request,
    after_sign_off,
    after_state_changed,
    gives_back,
    requests_to,
)
from flamenco_core.errors import NotAllowed
from flamenco_core.manager.store import admissions
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store import trials as trial_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.ids import next_ids
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import attempts, tasks, workers
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases import sleep
from flamenco_core.manager.usecases.requests import change_status
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.settle import settle, stamp

__all__ = [
    "Registration",
    "delete_worker",
    "expected_workers",
    "give_up_workers",
    "may_run",
    "register_worker",
    "request_worker_status",
    "requested_status",
    "sign_off",
    "sign_on",
    "state_changed",
]


@attrs.frozen(kw_only=True)
class Registration:
    """A machine that joins the farm."""

    uuid: str
    secret_hash: str
    name: str
    address: str
    platform: str
    task_types: Sequence[str]


def register_worker(tx: Tx, new: Registration) -> None:
    """Add a worker; it is offline until it signs on."""
    row = {
        "id": next_ids(tx, "workers"),
        "uuid": new.uuid,
        "secret_hash": new.secret_hash,
        "name": new.name,
        "address": new.address,
        "platform": new.platform,
        "software": "",
        "status": WorkerStatus.OFFLINE,
        "status_requested": "",
        "is_lazy": 0,
        "task_types": json.dumps(_cleaned(new.task_types)),
        "can_restart": 0,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    worker_rows.insert_worker(tx, row)
    facts = worker_rows.worker_facts(worker_rows.worker_by_uuid(tx, new.uuid))
    tx.emit(WorkerRegistered(facts))


def _cleaned(task_types: Iterable[str]) -> list[str]:
    return [*dict.fromkeys(t.strip().lower() for t in task_types if t.strip())]


_SIGN_ON = Query(
    update(workers)
    .where(workers.c.uuid == bindparam("worker"))
    .values(
        name=bindparam("new_name"),
        address=bindparam("new_address"),
        software=bindparam("new_software"),
        task_types=bindparam("new_types"),
        can_restart=bindparam("restarts"),
        seen_at=bindparam("now"),
    )
)


def sign_on(
    tx: Tx,
    worker_id: str,
    *,
    name: str,
    address: str,
    software: str,
    task_types: Sequence[str],
    can_restart: bool,
    rules: Rules,
) -> WorkerStatus:
    """Take in that a worker has started; return what it shall be.

    What it was at work on goes back to the queue. Its process is another one now: given
    the same run again, it would number its messages from one, and they would be taken for
    repetitions of what the former process said.
    """
    old = worker_rows.lock_worker(tx, worker_id)
    tx.run(
        _SIGN_ON,
        worker=worker_id,
        new_name=name,
        new_address=address,
        new_software=software,
        new_types=json.dumps(_cleaned(task_types)),
        restarts=int(can_restart),
        now=tx.now,
    )
    request = sleep.request_on_return(tx, old, WorkerStatus.STARTING, rules.zone)
    change_status(tx, old, WorkerStatus.STARTING, request)
    row = worker_rows.worker_by_uuid(tx, worker_id)
    _tell_status(tx, row, WorkerStatus(old.status), "signed on")
    _return_tasks(tx, row, rules, "its worker started anew", Outcome.LOST)
    return request.status if request else sleep.scheduled_status(tx, old.id, rules.zone)


def sign_off(tx: Tx, worker_id: str, rules: Rules) -> None:
    """Take in that a worker stops; what it was at work on goes back to the queue."""
    row = worker_rows.lock_worker(tx, worker_id)
    was = WorkerStatus(row.status)
    request = after_sign_off(worker_rows.request_of(row), was)
    _become(tx, row, WorkerStatus.OFFLINE, request, "signed off")
    _return_tasks(tx, row, rules, "worker signed off", Outcome.RETURNED)


def state_changed(tx: Tx, worker_id: str, status: WorkerStatus, rules: Rules) -> None:
    """Take in what a worker says that it is now."""
    row = worker_rows.lock_worker(tx, worker_id)
    request = after_state_changed(worker_rows.request_of(row), status)
    _become(tx, row, status, request, "it said so")
    if gives_back(status):
        reason = f"worker {_identifier(row)} changed status to '{status}'"
        _return_tasks(tx, row, rules, reason, Outcome.RETURNED)


def request_worker_status(
    tx: Tx, worker_id: str, status: WorkerStatus, *, is_lazy: bool, by: str = ""
) -> None:
    """Ask a worker to be something else; asking for what it is takes back a request.

    Raises `NotFound`, or `NotAllowed` for what nobody can ask of it.
    """
    row = worker_rows.lock_worker(tx, worker_id)
    if admissions.is_pending(tx, row.id):
        raise NotAllowed(f"worker {row.name} waits for approval: 'flamenco workers approve'")
    _require_possible(row, status)
    was = WorkerStatus(row.status)
    request = None if status is was else Request(status, is_lazy)
    change_status(tx, row, was, request, by)
    tx.emit(WorkerUpdated(worker_rows.worker_facts(row, request=request, updated=tx.now)))
    tx.wake(worker_id)


def _require_possible(row: Row, status: WorkerStatus) -> None:
    possible = requests_to(can_restart=bool(row.can_restart))
    if status in possible:
        return
    if status is WorkerStatus.RESTART:
        cause = "cannot restart: set its restart exit code first"
    else:
        cause = f"cannot be asked to be {status}: only the farm says that"
    raise NotAllowed(f"worker {row.name} {cause}; possible are: {', '.join(possible)}")


def requested_status(tx: Tx, worker_id: str) -> tuple[WorkerStatus | None, bool]:
    """Return what is asked of a worker, lazily or not, and whether it was given up."""
    row = worker_rows.worker_by_uuid(tx, worker_id)
    request = worker_rows.request_of(row)
    return request.status if request else None, row.status == WorkerStatus.ERROR


@attrs.frozen(kw_only=True)
class MayRun:
    """Whether a worker may go on with a task, and why not; it may have been given up."""

    yes: bool
    reason: str = ""
    status_requested: bool = False
    was_lost: bool = False


def may_run(tx: Tx, worker_id: str, task_id: str) -> MayRun:
    """Say whether a worker may go on with a task. Changes nothing."""
    # A trial looks like a task to its worker.
    task = tx.one(_MAY_RUN, task=task_id) or trial_rows.find_trial(tx, task_id)
    if task is None:
        return MayRun(yes=False, reason="Task not found")
    row = worker_rows.worker_by_uuid(tx, worker_id)
    may = _may_run(task, row)
    return attrs.evolve(may, was_lost=True) if row.status == WorkerStatus.ERROR else may


def _may_run(task: Row, row: Row) -> MayRun:
    request = worker_rows.request_of(row)
    if request and not request.is_lazy:
        return MayRun(yes=False, reason="worker status change requested", status_requested=True)
    if task.worker_id != row.id:
        return MayRun(yes=False, reason="task not assigned to this worker")
    # A run that was given up for lost, with nobody else on the task since, may still
    # deliver: to stop it now would throw its work away.
    if task.status != TaskStatus.ACTIVE and task.outcome != Outcome.LOST:
        return MayRun(yes=False, reason=f'task is in non-runnable status "{task.status}"')
    return MayRun(yes=True)


_MAY_RUN = Query(
    select(tasks.c.status, attempts.c.worker_id, attempts.c.outcome)
    .join(
        attempts,
        and_(attempts.c.task_id == tasks.c.id, attempts.c.epoch == tasks.c.epoch),
        isouter=True,
    )
    .where(tasks.c.uuid == bindparam("task"))
)
_DELETE = Query(
    update(workers).where(workers.c.id == bindparam("worker")).values(deleted_at=bindparam("now"))
)


def delete_worker(tx: Tx, worker_id: str, rules: Rules) -> None:
    """Remove a worker; its tasks go back, its history stays."""
    row = worker_rows.lock_worker(tx, worker_id)
    _return_tasks(tx, row, rules, "worker is being deleted", Outcome.RETURNED)
    tx.run(_DELETE, worker=row.id, now=tx.now)
    tx.emit(WorkerDeleted(worker_rows.worker_facts(row, updated=tx.now)))
    # It may be waiting for work, on a connection that was let in when it was known.
    tx.wake(worker_id)


def give_up_workers(tx: Tx, worker_ids: Sequence[str], rules: Rules) -> None:
    """Take in that workers have not been heard of for too long.

    Their tasks go back to the queue under the same epoch: that is no failure, and if the
    result comes after all before another worker has the task, it counts.
    """
    for worker_id in sorted(worker_ids):
        row = worker_rows.find_worker(tx, worker_id)
        if row is None or row.status in {WorkerStatus.ERROR, WorkerStatus.OFFLINE}:
            continue
        _become(tx, row, WorkerStatus.ERROR, None, "it was not heard of any more")
        _return_tasks(tx, row, rules, "worker timed out", Outcome.LOST)


def _become(tx: Tx, row: Row, status: WorkerStatus, request: Request | None, reason: str) -> None:
    change_status(tx, row, status, request)
    fresh = worker_rows.worker_by_uuid(tx, row.uuid)
    _tell_status(tx, fresh, WorkerStatus(row.status), reason)


def _tell_status(tx: Tx, row: Row, was: WorkerStatus, reason: str) -> None:
    facts = worker_rows.worker_facts(row)
    tx.emit(WorkerStatusChanged(worker=facts, previous_status=was, reason=reason))


def _identifier(row: Row) -> str:
    return f"{row.name} ({row.uuid})"


def _return_tasks(tx: Tx, worker: Row, rules: Rules, reason: str, outcome: Outcome) -> None:
    for held in task_rows.held_by(tx, worker.id):
        # Lost too often, a task fails, and that may be the end of all the job's tasks.
        whole_job = outcome is Outcome.LOST
        task = task_rows.reported_task(tx, held.uuid, whole_job=whole_job)
        # Before it was locked, its result may have come or a person may have canceled it.
        if task.status == TaskStatus.ACTIVE and task.epoch == held.attempt_epoch:
            _return_task(tx, worker, task, rules, reason, outcome)


_RETURN = Query(
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(
        status=bindparam("status"),
        activity=bindparam("activity"),
        lost_count=bindparam("lost"),
        steps_completed=bindparam("steps"),
        updated_at=bindparam("now"),
    )
)


def _return_task(
    tx: Tx, worker: Row, task: Row, rules: Rules, reason: str, outcome: Outcome
) -> None:
    task_rows.end_attempt(tx, task.id, task.epoch, outcome)
    lost = task.lost_count + (outcome is Outcome.LOST)
    status = returned_to(task.job_wanted == Wanted.PAUSE)
    activity = f"Task was {status} by Manager because {reason}"
    if outcome is Outcome.LOST and task_rows.lost_on(tx, task.id, lost) >= MAX_LOST:
        status = TaskStatus.FAILED
        activity = f"Task was lost on {MAX_LOST} different workers: it is not tried again"
    steps = 0 if status is TaskStatus.QUEUED else task.steps_completed
    values = {"status": status, "activity": activity, "lost": lost, "steps": steps}
    tx.run(_RETURN, task=task.id, now=tx.now, **values)
    task_rows.add_note(tx, task.id, task.epoch, stamp(tx, activity))
    if status is TaskStatus.QUEUED and task.job_delete_requested_at is None:
        lane_rows.open_lane(tx, task.lane_id)
    job = job_rows.load_state(tx, task.job_id)
    job.count(TaskStatus.ACTIVE, status, steps - task.steps_completed)
    facts = task_rows.task_facts(
        task,
        status=status,
        activity=activity,
        steps_completed=steps,
        updated=tx.now,
        worker_id=worker.uuid,
        worker_name=worker.name,
    )
    tx.emit(TaskStatusChanged(task=facts, previous_status=TaskStatus(task.status)))
    settle(tx, job, rules, activity)


def expected_workers(tx: Tx) -> list[str]:
    """Return the UUIDs of workers that should be there."""
    gone = {WorkerStatus.ERROR, WorkerStatus.OFFLINE}
    return [row.uuid for row in worker_rows.all_workers(tx) if row.status not in gone]
