"""Runs tasks one after the other, and knows when a run is no longer ours."""

from __future__ import annotations

import logging
from collections.abc import Callable

import anyio

from flamenco_core.domain.events import Event, RunEnded, RunStarted
from flamenco_core.errors import Busy, Conflict, Forbidden, NotFound, Refused
from flamenco_core.offers.task import CommandToRun, TaskToRun
from flamenco_core.wire.worker import AssignedTask
from flamenco_core.worker.client import ManagerClient
from flamenco_core.worker.executor import Executor, reason_of
from flamenco_core.worker.host import Worker
from flamenco_core.worker.outbox import Outbox, Posted
from flamenco_core.worker.run import TaskRun
from flamenco_core.worker.uploads import Rendered

__all__ = ["TaskRunner", "task_to_run"]

log = logging.getLogger(__name__)

LOST = (Forbidden, NotFound, Conflict)
"""Answers to an update which say that the run is somebody else's by now."""


def task_to_run(assigned: AssignedTask) -> TaskToRun:
    """Return the task in the form that plugins see."""
    return TaskToRun(
        id=assigned.uuid,
        job_id=assigned.job,
        name=assigned.name,
        job_type=assigned.job_type,
        task_type=assigned.task_type,
        commands=tuple(
            CommandToRun(name=c.name, parameters=c.parameters, total_step_count=c.total_step_count)
            for c in assigned.commands
        ),
        priority=assigned.priority,
        job_priority=assigned.job_priority,
        steps_total=assigned.steps_total,
        epoch=assigned.epoch,
    )


class TaskRunner:
    """Runs one task at a time; *tell* hears when a run begins and ends."""

    def __init__(
        self,
        worker: Worker,
        client: ManagerClient,
        outbox: Outbox,
        *,
        offer: Callable[[Rendered], None],
        tell: Callable[[Event], None],
    ) -> None:
        self._worker = worker
        self._client = client
        self._outbox = outbox
        self._executor = Executor(worker)
        self._offer = offer
        self._tell = tell
        self._current: TaskRun | None = None
        outbox.on_refused = self.refused

    def refused(self, task_id: str, epoch: int | None, error: Refused) -> None:
        """Hear that the Manager took no update of a run: stop it if it is the present one."""
        run = self._current
        if run and (run.task.id, run.task.epoch) == (task_id, epoch) and isinstance(error, LOST):
            run.stop(f"the Manager has given the task away: {error}")

    async def run(self, assigned: AssignedTask) -> AssignedTask | None:
        """Run a task; return the next one if the Manager sent it along with its answer."""
        task = task_to_run(assigned)
        run = self._current = TaskRun(task, self._worker, self._outbox, self._offer)
        log.info("running task %s (%s), %d commands", task.id, task.name, len(task.commands))
        self._tell(RunStarted(task_id=task.id, job_id=task.job_id, name=task.name))
        outcome, reason = "stopped", "the worker stops"
        try:
            await run.begin()
            outcome, reason = await self._outcome(run)
            # From here on nothing stops it: the report of a finished run is durable.
            posted = await self._report(run, outcome, reason)
        finally:
            self._current = None
            if outcome == "stopped":
                await self._abandon(run, reason)
            self._tell_end(task, outcome, reason)
        if posted is None:
            return None
        await posted.delivered.wait()
        return posted.answer

    async def _outcome(self, run: TaskRun) -> tuple[str, str]:
        try:
            await self._attempt(run)
        finally:
            await self._leave_nothing(run)
        if run.stopped:
            return "stopped", run.stopped
        return ("failed", reason_of(run.error)) if run.error else ("completed", "")

    async def _leave_nothing(self, run: TaskRun) -> None:
        with anyio.CancelScope(shield=True):
            if left := await run.end_programs():
                log.warning("task %s left %d processes; ended them", run.task.id, left)

    async def _attempt(self, run: TaskRun) -> None:
        """Run the commands; keep what they raised."""
        async with anyio.create_task_group() as group:
            run.scope = group.cancel_scope
            if run.stopped:
                group.cancel_scope.cancel()
            group.start_soon(self._ask_whether_to_go_on, run)
            group.start_soon(run.chunks.run)
            try:
                await self._executor.run(run.task, run)
            # The border to commands and plugins: whatever they raise fails the task.
            except Exception as error:
                run.error = error
                log.info("task %s failed", run.task.id, exc_info=error)
            group.cancel_scope.cancel()

    async def _report(self, run: TaskRun, outcome: str, reason: str) -> Posted | None:
        posted: Posted | None = None
        with anyio.CancelScope(shield=True):
            if outcome == "completed":
                posted = await run.complete()
            elif outcome == "failed":
                posted = await run.fail(reason)
        return posted

    async def _abandon(self, run: TaskRun, reason: str) -> None:
        with anyio.CancelScope(shield=True):
            if run.stopped:
                log.warning("task %s is stopped: %s", run.task.id, reason)
                await self._outbox.withdraw(run.task.id, run.task.epoch)
            else:
                # The Worker stops. The Manager learns that from its sign-off; the last
                # lines may help whoever reads the log.
                await run.chunks.flush()

    def _tell_end(self, task: TaskToRun, outcome: str, reason: str) -> None:
        log.info("task %s %s %s", task.id, outcome, reason)
        self._tell(
            RunEnded(
                task_id=task.id,
                job_id=task.job_id,
                name=task.name,
                outcome=outcome,
                reason=reason,
            )
        )

    async def _ask_whether_to_go_on(self, run: TaskRun) -> None:
        while True:
            await self._worker.clock.sleep(self._worker.settings.timings.heartbeat)
            try:
                answer = await self._client.may_i_run(run.task.id)
            except NotFound as error:
                # The Manager says so with 200; this is a proxy without a Manager behind.
                log.warning("going on with task %s: %s", run.task.id, error)
            except (Busy, Refused) as error:
                if isinstance(error, LOST):
                    run.stop(str(error))
                log.warning("task %s: %s", run.task.id, error)
            else:
                if not answer.mayKeepRunning:
                    run.stop(answer.reason or "the Manager asks to stop")
