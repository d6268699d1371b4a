"""The ``worker`` operations: how Workers and the Manager talk."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Controller, get, post

from flamenco_core.builtin.worker_identity import AWAITS_APPROVAL
from flamenco_core.domain.statuses import TaskStatus, WorkerStatus
from flamenco_core.errors import BadRequest, Forbidden, NotFound, StorageFull
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    beat_of,
    body_of,
    empty,
    identity_of,
    manager_of,
    path_id,
    peer,
    prefers,
    reply,
    worker_of,
)
from flamenco_core.manager.http.waiting import next_task
from flamenco_core.manager.liveness import BEATS_MISSED
from flamenco_core.manager.usecases import report, schedule, workers
from flamenco_core.manager.usecases.comeback import come_back
from flamenco_core.offers.operations import operation
from flamenco_core.wire import worker as wire

__all__ = ["WorkerController"]

log = logging.getLogger(__name__)

LONGEST_WAIT = 60.0
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
WISHES = {
    "Prefer": Annotated[str, "`wait=SECONDS` for a task, or `next-task` with an update."],
    "Flamenco-Heartbeat": Annotated[str, "Seconds between two calls of this worker."],
}
"""Ours, not in Flamenco 3."""
WORK = {200: wire.AssignedTask, 204: None, 423: wire.WorkerStateChange}


class WorkerController(Controller):
    """Sign-on, tasks and their updates."""

    path = "/api/v3/worker"
    tags = ["worker"]

    @post(
        "/sign-on",
        opt=operation("signOn", wire.WorkerStateChange, takes=wire.WorkerSignOn),
        status_code=200,
    )
    async def sign_on(self, request: Request[Any, Any, Any]) -> Answer:
        """Take in that a worker has started."""
        body = await body_of(request, wire.WorkerSignOn)
        manager = manager_of(request)
        status = await manager.database.write(
            workers.sign_on,
            worker_of(request),
            name=body.name,
            address=peer(request),
            software=body.software_version,
            task_types=body.supported_task_types,
            can_restart=body.can_restart,
            rules=manager.rules,
        )
        if identity_of(request).is_pending:
            # It asks every few seconds whether it shall wake up, and hears it when it may.
            return reply(wire.WorkerStateChange(WorkerStatus.ASLEEP, pending_approval=True))
        return reply(wire.WorkerStateChange(status))

    @post("/sign-off", opt=operation("signOff"), status_code=200)
    async def sign_off(self, request: Request[Any, Any, Any]) -> Answer:
        """Take in that a worker stops."""
        manager, worker = manager_of(request), worker_of(request)
        await manager.database.write(workers.sign_off, worker, manager.rules)
        manager.liveness.forget(worker)
        return empty()

    @get("/state", opt=operation("workerState", {200: wire.WorkerStateChange, 204: None}))
    async def worker_state(self, request: Request[Any, Any, Any]) -> Answer:
        """Say what is asked of a worker, if anything is."""
        manager, worker = manager_of(request), worker_of(request)
        wanted, was_lost = await manager.database.read(workers.requested_status, worker)
        if was_lost:
            # Who asks this, and not for work, sleeps.
            await manager.database.write(come_back, worker, WorkerStatus.ASLEEP, manager.rules)
        if not wanted or identity_of(request).is_pending:
            return empty()
        return reply(wire.WorkerStateChange(wanted))

    @post(
        "/state-changed",
        opt=operation("workerStateChanged", takes=wire.WorkerStateChanged),
        status_code=200,
    )
    async def state_changed(self, request: Request[Any, Any, Any]) -> Answer:
        """Take in what a worker says that it is."""
        manager = manager_of(request)
        body = await body_of(request, wire.WorkerStateChanged)
        worker = worker_of(request)
        if identity_of(request).is_pending and body.status is WorkerStatus.AWAKE:
            raise Forbidden(AWAITS_APPROVAL)
        await manager.database.write(workers.state_changed, worker, body.status, manager.rules)
        return empty()

    @post(
        "/task",
        opt=operation("scheduleTask", WORK, refuses=[404, 409], headers=WISHES),
        status_code=200,
    )
    async def schedule_task(self, request: Request[Any, Any, Any]) -> Answer:
        """Give a worker a task; with ``Prefer: wait=N``, wait for one up to N seconds."""
        worker = worker_of(request)
        wait = _seconds(prefers(request).get("wait"), beat_of(request))
        if identity_of(request).must_rotate:
            wait = 0.0  # the head of the answer tells it so; that is not to come later
        found = await next_task(request, worker, wait)
        if not isinstance(found, schedule.Nothing):
            return _work(manager_of(request), found)
        return empty(headers={"Preference-Applied": "wait"} if wait else None)

    @post(
        "/task/{task_id:str}",
        opt=operation(
            "taskUpdate",
            {200: wire.AssignedTask, 204: None},
            takes=wire.TaskUpdate,
            refuses=[409],
            headers=WISHES,
        ),
        status_code=200,
    )
    async def task_update(self, request: Request[Any, Any, Any]) -> Answer:
        """Take in what a worker says of its task; with ``Prefer: next-task``, give the next."""
        manager, worker = manager_of(request), worker_of(request)
        task = path_id(request, "task_id")
        body = await body_of(request, wire.TaskUpdate, "free_text")
        goes_on = body.taskStatus is not None and "next-task" in prefers(request)
        try:
            return await (_report_and_go_on if goes_on else _take)(manager, worker, task, body)
        except NotFound:
            # Only here: no update of a task has to wait for the question.
            await manager.trials.take(worker, task, _report(body), body.log or "")
            return empty()

    @get("/task/{task_id:str}/may-i-run", opt=operation("mayWorkerRun", wire.MayKeepRunning))
    async def may_run(self, request: Request[Any, Any, Any]) -> Answer:
        """Say whether a worker may go on with its task."""
        manager, worker = manager_of(request), worker_of(request)
        may = await manager.database.read(workers.may_run, worker, path_id(request, "task_id"))
        if may.yes:
            manager.silence.heard(request.path_params["task_id"].lower())
        if may.was_lost:
            await manager.database.write(come_back, worker, WorkerStatus.AWAKE, manager.rules)
        return reply(
            wire.MayKeepRunning(
                mayKeepRunning=may.yes,
                reason=may.reason,
                statusChangeRequested=may.status_requested,
            )
        )


def _seconds(text: str | None, beat: float | None) -> float:
    if text is None or not text.isascii() or not text.isdigit():
        return 0.0
    # A worker that waits is silent: it must be let go before it would be given up.
    longest = LONGEST_WAIT if beat is None else beat * (BEATS_MISSED - 1)
    return min(float(text), longest)


async def _take(manager: Manager, worker: str, task: str, body: wire.TaskUpdate) -> Answer:
    said = _report(body)
    if _is_log_only(body):
        accepted = await manager.database.read(report.check_report, worker, task, said)
        manager.silence.heard(task)
    else:
        accepted = await _store(manager, report.report_task, worker, task, said)
    await _log(manager, task, body, accepted)
    return empty()


async def _report_and_go_on(
    manager: Manager, worker: str, task: str, body: wire.TaskUpdate
) -> Answer:
    said = _report(body)
    if body.log:
        # Before the report: once that is stored, the worker will not send the text again.
        accepted = await manager.database.read(report.check_report, worker, task, said)
        await _log(manager, task, body, accepted)
    _, found = await _store(manager, report.report_and_schedule, worker, task, said)
    return _next(manager, found)


async def _store(
    manager: Manager, fn: Callable[..., Any], worker: str, task: str, said: report.Report
) -> Any:
    if said.status is TaskStatus.FAILED:
        # It may be the end of all the job's tasks, which takes longer.
        stored = await manager.database.write(fn, worker, task, said, manager.rules)
    else:
        stored = await manager.store_briefly(fn, worker, task, said)
    goes_on = said.status in {None, TaskStatus.ACTIVE}
    (manager.silence.heard if goes_on else manager.silence.forget)(task)
    return stored


def _report(body: wire.TaskUpdate) -> report.Report:
    if body.log_offset is not None and body.log_offset < 0:
        raise BadRequest("TaskUpdate.log_offset must not be negative")
    return report.Report(
        status=body.taskStatus,
        activity=body.activity,
        steps_completed=body.steps_completed,
        epoch=body.epoch,
        seq=body.seq,
    )


def _is_log_only(body: wire.TaskUpdate) -> bool:
    return body.taskStatus is None and body.activity is None and body.steps_completed is None


async def _log(
    manager: Manager, task: str, body: wire.TaskUpdate, accepted: report.Accepted
) -> None:
    if not body.log:
        return
    where = accepted.job_id, task, accepted.epoch
    try:
        new = await asyncio.to_thread(manager.logs.write, *where, body.log, body.log_offset)
    except OSError as error:
        await _without_log(manager, task, error)
        return
    if new:
        manager.tell_log(accepted.job_id, task, new)


async def _without_log(manager: Manager, task: str, error: OSError) -> None:
    """Go on without a text: what a task has come to counts more than what it has said.

    But where nothing at all can be stored, the worker keeps the text until it can.
    """
    if error.errno in NO_SPACE and not await manager.readiness.check():
        raise StorageFull("the Manager's disk is full; make space, nothing is lost") from error
    log.error("the log of task %s cannot be written: %s", task, error)


def _work(manager: Manager, found: schedule.AssignedRun | schedule.StatusRequested) -> Answer:
    if isinstance(found, schedule.StatusRequested):
        return reply(wire.WorkerStateChange(found.status), 423)
    return reply(_assigned(manager, found))


def _next(
    manager: Manager,
    found: schedule.AssignedRun | schedule.StatusRequested | schedule.Nothing,
) -> Answer:
    if not isinstance(found, schedule.AssignedRun):
        return empty()
    return reply(_assigned(manager, found), headers={"Preference-Applied": "next-task"})


def _assigned(manager: Manager, run: schedule.AssignedRun) -> wire.AssignedTask:
    manager.silence.heard(run.task_id)
    commands = manager.variables.expand(msgspec.json.decode(run.commands), "workers", run.platform)
    return wire.AssignedTask(
        uuid=run.task_id,
        job=run.job_id,
        name=run.name,
        status=TaskStatus.ACTIVE,
        priority=run.priority,
        job_priority=run.job_priority,
        job_type=run.job_type,
        task_type=run.task_type,
        commands=[wire.Command(**command) for command in commands],
        steps_completed=run.steps_completed,
        steps_total=run.steps_total,
        epoch=run.epoch,
    )
