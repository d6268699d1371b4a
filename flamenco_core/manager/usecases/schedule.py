"""Give a worker its next task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice

import attrs

from flamenco_core.domain.events import TaskStatusChanged, WorkerUpdated
from flamenco_core.domain.scheduling import Candidate, WorkerAtWork
from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.domain.tasks import Outcome
from flamenco_core.domain.workers import wake_up
from flamenco_core.errors import Conflict
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Pool, Tx
from flamenco_core.manager.usecases.comeback import take_back
from flamenco_core.manager.usecases.offer import offered_tasks
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.settle import announce
from flamenco_core.manager.usecases.trial_runs import next_trial

__all__ = ["AssignedRun", "Nothing", "StatusRequested", "schedule_task"]

CANDIDATES = 16
"""How many candidates a plugin that chooses is shown at most."""


@attrs.frozen(kw_only=True)
class AssignedRun:
    """A task that a worker now holds; ``commands`` is JSON, variables not yet replaced."""

    task_id: str
    job_id: str
    name: str
    task_type: str
    job_type: str
    priority: int
    job_priority: int
    commands: str
    steps_completed: int
    steps_total: int
    epoch: int
    platform: str


@attrs.frozen
class StatusRequested:
    """The worker gets no task: it is to change its status first."""

    status: WorkerStatus


@attrs.frozen
class Nothing:
    """There is no task for the worker; it may wait for one in these pools."""

    pools: tuple[Pool, ...] = ()


def schedule_task(
    tx: Tx, worker_id: str, rules: Rules, slot: int = 0
) -> AssignedRun | StatusRequested | Nothing:
    """Give the worker with this UUID its next task.

    A task that it holds already is given again: the answer may have been lost. Raises
    `Conflict` when the worker is not awake.
    """
    worker = worker_rows.lock_worker(tx, worker_id)
    if worker.status_requested:
        return StatusRequested(WorkerStatus(worker.status_requested))
    if worker.status != WorkerStatus.AWAKE:
        worker = _wake_up(tx, worker, rules)
        if worker.status_requested:
            return StatusRequested(WorkerStatus(worker.status_requested))
    for held in task_rows.held_by(tx, worker.id) if worker.holds else ():
        if held.slot == slot:
            return _again(tx, worker, held)
    if worker.on_trial and (trial := next_trial(tx, worker)):
        return _on_trial(trial, worker)
    pools = worker_rows.pools_of(worker)
    found = _choose(tx, worker, pools, rules)
    if found is None:
        return Nothing(tuple(pools))
    return _assign(tx, worker, *found, slot=slot, rules=rules)


def _wake_up(tx: Tx, worker: Row, rules: Rules) -> Row:
    status = WorkerStatus(worker.status)
    if not wake_up(status):
        raise Conflict(f'worker is in state "{status}", requires state "awake" to execute tasks')
    return take_back(tx, worker, WorkerStatus.AWAKE, "it asked for work", rules)


def _choose(tx: Tx, worker: Row, pools: Sequence[Pool], rules: Rules) -> tuple[Row, Row] | None:
    if not pools:
        return None
    offered = offered_tasks(tx, worker, pools)
    if rules.choose is None:
        return next(offered, None)
    found = [*islice(offered, CANDIDATES)]
    if not found:
        return None
    by_task = {task.uuid: (lane, task) for lane, task in found}
    chosen = rules.choose(_at_work(tx, worker), tuple(_candidate(task) for _, task in found))
    return by_task.get(chosen.task_id, found[0]) if chosen else found[0]


def _assign(tx: Tx, worker: Row, lane: Row, task: Row, *, slot: int, rules: Rules) -> AssignedRun:
    epoch = task.epoch + 1
    task_rows.assign(tx, task.id, epoch=epoch, worker=worker.id, slot=slot)
    if rules.turns.is_over(task.job_id, lambda: worker_rows.awake_count(tx)):
        lane_rows.to_the_back(tx, task.job_id)
    facts = task_rows.task_facts(
        task,
        status=TaskStatus.ACTIVE,
        updated=tx.now,
        worker_id=worker.uuid,
        worker_name=worker.name,
    )
    tx.emit(TaskStatusChanged(task=facts, previous_status=TaskStatus(task.status)))
    tx.emit(WorkerUpdated(worker_rows.worker_facts(worker)))
    if not task.job_started:
        _start_job(tx, task.job_id)
    return _assigned(task, worker, epoch)


def _again(tx: Tx, worker: Row, held: Row) -> AssignedRun:
    """Give what the worker holds once more; as a new run if it has spoken of this one.

    It asks because it gave that run up, and would number its messages from one again:
    they would be taken for repetitions.
    """
    if not held.seq:
        return _assigned(held, worker, held.attempt_epoch)
    epoch = held.epoch + 1
    task_rows.end_attempt(tx, held.id, held.attempt_epoch, Outcome.LOST)
    task_rows.assign(tx, held.id, epoch=epoch, worker=worker.id, slot=held.slot)
    return _assigned(held, worker, epoch)


def _start_job(tx: Tx, job_id: int) -> None:
    job = job_rows.load_state(tx, job_id)
    if job.started or not job.runs:
        return
    job.started = True
    announce(tx, job, JobStatus.ACTIVE, "task became active")
    job_rows.save_state(tx, job)


def _assigned(task: Row, worker: Row, epoch: int) -> AssignedRun:
    return AssignedRun(
        task_id=task.uuid,
        job_id=task.job_uuid,
        name=task.name,
        task_type=task.type,
        job_type=task.job_type,
        priority=task.priority,
        job_priority=task.job_priority,
        commands=task.commands,
        steps_completed=task.steps_completed,
        steps_total=task.steps_total,
        epoch=epoch,
        platform=worker.platform,
    )


def _on_trial(trial: Row, worker: Row) -> AssignedRun:
    """Return a trial as a task: Workers of any kind know these, and nothing else."""
    return AssignedRun(
        task_id=trial.uuid,
        job_id=trial.test_uuid,
        name=f"test: {trial.name}",
        task_type=trial.task_type,
        job_type="worker-test",
        priority=100,
        job_priority=100,
        commands=trial.commands,
        steps_completed=0,
        steps_total=1,
        epoch=trial.epoch,
        platform=worker.platform,
    )


def _at_work(tx: Tx, worker: Row) -> WorkerAtWork:
    return WorkerAtWork(
        id=worker.uuid,
        name=worker.name,
        platform=worker.platform,
        task_types=tuple(json.loads(worker.task_types)),
        tags=tuple(tag.uuid for tag in worker_rows.tags_of(tx, worker.id)),
    )


def _candidate(task: Row) -> Candidate:
    return Candidate(
        task_id=task.uuid,
        task_name=task.name,
        task_type=task.type,
        task_priority=task.priority,
        job_id=task.job_uuid,
        job_name=task.job_name,
        job_type=task.job_type,
        job_priority=task.job_priority,
    )
