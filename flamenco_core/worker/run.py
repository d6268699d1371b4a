"""One run of one task: what its commands see, and the reports that it makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

import anyio
import attrs

from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.offers.task import TaskToRun
from flamenco_core.wire.worker import TaskUpdate
from flamenco_core.worker.door import environment_of_tasks
from flamenco_core.worker.host import Worker
from flamenco_core.worker.logchunks import LogChunks, clean
from flamenco_core.worker.outbox import Outbox, Posted
from flamenco_core.worker.process import (
    HOME_MARK,
    LEASE_MARK,
    Launch,
    end_marked,
    run_program,
    shell_line,
)
from flamenco_core.worker.uploads import Rendered

__all__ = ["TaskRun"]

MOST_WAITING_LOG = 64 * 1024 * 1024


class TaskRun:
    """The `Run` that a task's commands get.

    Reports are on disk when a method returns, and on their way to the Manager; nothing
    here waits for the network.
    """

    def __init__(
        self,
        task: TaskToRun,
        worker: Worker,
        outbox: Outbox,
        offer: Callable[[Rendered], None],
    ) -> None:
        self.task = task
        self.stopped = ""
        """Why this run has to end early; empty while it may go on."""
        self.error: Exception | None = None
        """What its commands raised."""
        self._worker = worker
        self._outbox = outbox
        self._offer = offer
        self._seq = 0
        self._logged = 0
        self._steps = 0
        self._log_is_full = False
        self._ran_programs = False
        self.scope: anyio.CancelScope | None = None
        settings = worker.settings
        self.chunks = LogChunks(
            self._send_log,
            clock=worker.clock,
            age=settings.timings.log_chunk,
            rate=settings.log_bytes_per_second,
        )

    def stop(self, why: str) -> None:
        """End the run early: cancel its commands."""
        self.stopped = self.stopped or why
        if self.scope is not None:
            self.scope.cancel()

    # -- what commands see -------------------------------------------------------

    async def log(self, line: str) -> None:
        """Append a line to the task's log."""
        await self.chunks.add(line)

    async def activity(self, text: str) -> None:
        """Say what the task is doing now."""
        await self._post(TaskUpdate(activity=clean(text)))

    async def step(self, count: int = 1) -> None:
        """Report *count* more steps done."""
        self._steps += count
        await self._post(TaskUpdate(activity="Progress", steps_completed=self._steps))

    async def output(self, path: str, *, frame: int | None = None) -> None:
        """Offer a rendered image to the Manager."""
        self._offer(Rendered(self.task.id, path, frame))

    async def execute(
        self,
        argv: Sequence[str],
        *,
        on_line: Callable[[str], object] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        """Run a program to its end; its output goes to the log."""
        await self.log(f"going to run:\n\n    {shell_line(argv)}\n")
        self._ran_programs = True

        async def handle(pid: int, line: str) -> None:
            await self.log(f"pid={pid} > {line}")
            if on_line is not None and inspect.isawaitable(result := on_line(line)):
                await result

        await run_program(self._launch(argv, env, cwd), handle, self._worker.clock)

    def _launch(
        self, argv: Sequence[str], env: Mapping[str, str] | None, cwd: str | None
    ) -> Launch:
        settings = self._worker.settings
        inherited = {**environment_of_tasks(), **self._worker.task_environment}
        return Launch(
            argv=argv,
            env={**inherited, **(env or {}), **self._markers()},
            cwd=cwd,
            grace=settings.timings.stop_grace,
            hurry=self._worker.hurry,
            oom_score=settings.oom_score_adjust,
        )

    def _markers(self) -> dict[str, str]:
        lease = f"{self.task.id}-{self.task.epoch or 0}"
        return {LEASE_MARK: lease, HOME_MARK: str(self._worker.home)}

    # -- what the runner does ----------------------------------------------------

    async def begin(self) -> None:
        """Report that the run has begun."""
        await self._post(TaskUpdate(taskStatus=TaskStatus.ACTIVE, activity="Started"))

    async def complete(self) -> Posted:
        """Report success, with the rest of the log; ask for the next task with it."""
        update = TaskUpdate(taskStatus=TaskStatus.COMPLETED, activity="Completed")
        return await self._post_last(update)

    async def fail(self, reason: str) -> Posted:
        """Report failure, with the rest of the log; ask for the next task with it."""
        text = clean(f"Failed: {reason}")
        await self.log(text)
        return await self._post_last(TaskUpdate(taskStatus=TaskStatus.FAILED, activity=text))

    async def end_programs(self) -> int:
        """End what the run's programs have left behind; return how many there were."""
        return await end_marked(self._markers()) if self._ran_programs else 0

    async def _post_last(self, update: TaskUpdate) -> Posted:
        if log := self.chunks.take():
            update = attrs.evolve(update, log=log)
        return await self._post(update, next_task=True)

    async def _send_log(self, text: str) -> None:
        # A Manager that is away for a night must not fill this computer's disk.
        if self._outbox.log_bytes > MOST_WAITING_LOG:
            if self._log_is_full:
                return
            text = "[log left out from here on: the Manager does not take it]\n"
            self._log_is_full = True
        else:
            self._log_is_full = False
        await self._post(TaskUpdate(log=text))

    async def _post(self, update: TaskUpdate, *, next_task: bool = False) -> Posted:
        # No `await` between taking a number and queueing: the order is the numbers' order.
        self._seq += 1
        if self.task.epoch is not None:
            offset = None if update.log is None else self._logged
            update = attrs.evolve(update, epoch=self.task.epoch, seq=self._seq, log_offset=offset)
        self._logged += len((update.log or "").encode())
        return await self._outbox.post(self.task.id, update, next_task=next_task)
