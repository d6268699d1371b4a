"""What a Worker does in each state that its Manager may ask for."""

from __future__ import annotations

import logging

from flamenco_core.backoff import Backoff
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.errors import Busy, Conflict, Forbidden, Refused
from flamenco_core.wire.worker import AssignedTask
from flamenco_core.worker.client import Held, ManagerClient
from flamenco_core.worker.host import Worker
from flamenco_core.worker.outbox import Outbox
from flamenco_core.worker.runner import TaskRunner
from flamenco_core.worker.signon import SignOn

__all__ = ["StateLoop"]

log = logging.getLogger(__name__)

GOING = (WorkerStatus.OFFLINE, WorkerStatus.RESTART)


class StateLoop:
    """Signs on, then is what the Manager asks for, until it asks to go.

    *idle* gives the pauses between questions to a Manager that has no work and does not
    hold the question; *retry* those after errors. Both stay below the worker time-out, so
    that the next question is a sign of life in time.
    """

    def __init__(
        self,
        worker: Worker,
        client: ManagerClient,
        outbox: Outbox,
        runner: TaskRunner,
        sign_on: SignOn,
        *,
        idle: Backoff,
        retry: Backoff,
    ) -> None:
        self._worker = worker
        self._client = client
        self._outbox = outbox
        self._runner = runner
        self._sign_on = sign_on
        self._idle = idle
        self._retry = retry
        self._timings = worker.settings.timings

    async def run(self) -> WorkerStatus:
        """Work; return ``offline`` or ``restart`` when the Manager asks for it."""
        while True:
            status = await self._sign_on.run()
            try:
                while status not in GOING:
                    status = await self._be(status)
                return status
            except Forbidden as error:
                log.warning("signing on again: %s", error)
                await self._pause_after_error()

    async def _be(self, status: WorkerStatus) -> WorkerStatus:
        if status == WorkerStatus.AWAKE:
            return await self._awake()
        if status != WorkerStatus.ASLEEP:
            log.warning("asked to be %s; sleeping instead", status)
        return await self._asleep()

    # -- asleep ------------------------------------------------------------------

    async def _asleep(self) -> WorkerStatus:
        await self._say(WorkerStatus.ASLEEP)
        while True:
            await self._worker.clock.sleep(self._timings.asleep_poll)
            try:
                status = await self._client.state()
            except Forbidden:
                raise
            except (Busy, Refused) as error:
                log.warning("%s", error)
                await self._pause_after_error()
                continue
            self._retry.reset()
            if status is not None and status != WorkerStatus.ASLEEP:
                return status

    # -- awake -------------------------------------------------------------------

    async def _awake(self) -> WorkerStatus:
        await self._say(WorkerStatus.AWAKE)
        self._idle.reset()
        task: AssignedTask | None = None
        while True:
            if task is None:
                # Asked too early, the Manager would give us again what we have just done.
                await self._outbox.flushed()
                answer = await self._ask_for_work()
                if isinstance(answer, WorkerStatus):
                    return answer
                task = answer
            if task is not None:
                self._idle.reset()
                task = await self._runner.run(task)

    async def _ask_for_work(self) -> AssignedTask | WorkerStatus | None:
        wait = self._timings.long_wait
        asked = self._worker.clock.monotonic()
        try:
            answer = await self._client.schedule(wait)
        except Forbidden:
            raise
        except Conflict as error:
            return await self._put_right(error)
        except (Busy, Refused) as error:
            log.warning("%s", error)
            await self._pause_after_error()
            return None
        self._retry.reset()
        if not isinstance(answer, Held):
            return answer
        waited = self._worker.clock.monotonic() - asked
        if not answer.held and waited < wait * 0.8:
            await self._worker.clock.sleep(self._idle.pause())
        elif waited < 1:
            # It says that it waited and did not: never let that become a busy loop.
            await self._pause_after_error()
        return None

    async def _put_right(self, error: Conflict) -> WorkerStatus | None:
        """Mend that the Manager takes us for not awake, perhaps since we were lost."""
        log.warning("%s", error)
        try:
            status = await self._client.state()
        except Forbidden:
            raise
        except (Busy, Refused) as trouble:
            log.warning("%s", trouble)
            status = None
        if status is None or status == WorkerStatus.AWAKE:
            await self._say(WorkerStatus.AWAKE)
            await self._pause_after_error()
            return None
        return status

    # -- both --------------------------------------------------------------------

    async def _say(self, status: WorkerStatus) -> None:
        """Say what we are now, until it is heard: the Manager hands out work by it."""
        while True:
            try:
                await self._client.state_changed(status)
            except Forbidden:
                raise
            except Refused as error:
                log.warning("%s", error)
                return
            except Busy as error:
                log.warning("%s", error)
                await self._pause_after_error()
            else:
                return

    async def _pause_after_error(self) -> None:
        await self._worker.clock.sleep(self._retry.pause())
