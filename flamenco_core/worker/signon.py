"""How a Worker joins its farm: with the credentials it has, or as a new worker."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import anyio.to_thread
import attrs

from flamenco_core import __version__, platform
from flamenco_core.backoff import Backoff
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.errors import Busy, Forbidden, Refused
from flamenco_core.wire.worker import WorkerRegistration, WorkerSignOn
from flamenco_core.worker.client import ManagerClient
from flamenco_core.worker.credentials import Credentials, CredentialsFile
from flamenco_core.worker.host import Worker
from flamenco_core.worker.machine import machine_number

__all__ = ["SignOn"]

log = logging.getLogger(__name__)

T = TypeVar("T")


class SignOn:
    """Signs on, for as long as it takes.

    Only a Manager that says "I do not know you" (401, 403) makes it join as a new worker;
    one that is away or in trouble (5xx) is waited for. It joins at most once in the life
    of the process: a Manager that turns away even the worker it has just taken in, until
    a person approves it, say, must not get a new one every few seconds.
    """

    def __init__(
        self, worker: Worker, client: ManagerClient, backoff: Backoff, ticket: str = ""
    ) -> None:
        self._worker = worker
        self._ticket = ticket
        self._client = client
        self._backoff = backoff
        self._file = CredentialsFile(worker.home)
        self._credentials: Credentials | None = None
        self._is_new = False
        self._file_lock = anyio.Lock()
        self.is_on = False
        """Whether the Manager takes our credentials, as far as we know."""

    @property
    def credentials(self) -> Credentials | None:
        """Who this worker is at the moment; None before it has joined."""
        return self._credentials

    async def load(self) -> bool:
        """Use the credentials of the home folder; say if they can be used already.

        Raises `OSError` for a file that cannot be read.
        """
        self._credentials = await anyio.to_thread.run_sync(self._file.load)
        self._use()
        try:
            await self._finish_change()
        except (Busy, Forbidden) as error:
            # Shown the wrong one of two, the Manager would refuse what we want to deliver.
            log.warning("%s", error)
            return False
        return self._credentials is not None

    async def run(self) -> WorkerStatus:
        """Sign on; return the state that the Manager asks for."""
        await self._prepare()
        self._backoff.reset()
        self.is_on = False
        while True:
            if self._credentials is None:
                await self._register()
            try:
                await self._again_while_busy(self._finish_change)
                status = await self._again_while_busy(self._sign_on)
                self.is_on = True
                return status
            except Forbidden as error:
                log.warning("the Manager does not let this worker sign on: %s", error)
                await self._refused()
            except Refused as error:
                log.error("cannot sign on: %s", error)
                await self._wait()

    async def _prepare(self) -> None:
        """Wait until nothing keeps this worker from running tasks."""
        worker, timings = self._worker, self._worker.settings.timings
        pauses = Backoff(
            first=timings.readiness_pause,
            longest=timings.readiness_pause_longest,
            random=self._backoff.random,
        )
        while True:
            problems = await worker.plugins.check("check_readiness", worker=worker)
            for problem in problems:
                log.error("not ready (plugin %s): %s", problem.plugin, problem.message)
            lost = {task_type for problem in problems for task_type in problem.affects}
            worker.task_types = [t for t in worker.settings.task_types if t not in lost]
            if worker.task_types and all(problem.affects for problem in problems):
                return
            await worker.clock.sleep(pauses.pause())

    async def _register(self) -> None:
        secret = secrets.token_hex(32)
        registration = WorkerRegistration(
            name=self._worker.name,
            platform=platform.go_os(),
            secret=secret,
            supported_task_types=self._worker.task_types,
            machine=machine_number(self._worker.home) or None,
        )
        while True:
            try:
                worker_id = await self._again_while_busy(
                    lambda: self._client.register(registration, self._ticket)
                )
                break
            except Refused as error:
                log.error("cannot register: %s", error)
                await self._wait()
        self._is_new = True
        await self._keep(Credentials(worker_id, secret, changed_at=self._worker.clock.now()))
        log.info("registered as worker %s", worker_id)

    async def _refused(self) -> None:
        if self._is_new:
            await self._wait()
            return
        async with self._file_lock:
            await anyio.to_thread.run_sync(self._file.put_aside_refused)
            self._credentials = None

    # -- another secret ----------------------------------------------------------

    async def change_secret(self) -> bool:
        """Use another secret from now on; False if the Manager does not have it.

        The Manager takes the former for a while. Raises `Busy` if it is not to be had, or
        `OSError` if the secret cannot be stored.
        """
        now = self._credentials
        if now is not None and not now.next_secret:
            await self._keep(attrs.evolve(now, next_secret=secrets.token_hex(32)), instead_of=now)
        return await self._finish_change()

    async def _finish_change(self) -> bool:
        """Tell the Manager of a change that was begun, perhaps by an earlier process.

        Said twice, it does no harm. Raises `Busy`, or `Forbidden` if it knows neither secret.
        """
        now = self._credentials
        if now is None or not now.next_secret:
            return False
        try:
            await self._tell_next(now)
        except Forbidden:
            raise
        except Refused as error:
            log.warning("this worker's secret stays as it is: %s", error)
            await self._keep(attrs.evolve(now, next_secret=""), instead_of=now)
            return False
        stamp = self._worker.clock.now()
        await self._keep(
            Credentials(now.worker_id, now.next_secret, changed_at=stamp), instead_of=now
        )
        log.info("this worker has a new secret")
        return True

    async def _tell_next(self, now: Credentials) -> None:
        try:
            await self._client.rotate_secret(now.next_secret)
        except Forbidden:
            # Perhaps it has taken the new one long ago, and does not take the former any more.
            self._client.use_credentials(now.worker_id, now.next_secret)
            try:
                await self._client.rotate_secret(now.next_secret)
            except (Busy, Refused):
                self._use()
                raise

    async def _keep(self, new: Credentials, instead_of: Credentials | None = None) -> None:
        """Store credentials and use them, unless others have taken their place meanwhile."""
        async with self._file_lock:
            if instead_of is not None and self._credentials is not instead_of:
                return
            await anyio.to_thread.run_sync(self._file.save, new)
            self._credentials = new
            self._use()

    # -- joining -----------------------------------------------------------------

    async def _sign_on(self) -> WorkerStatus:
        status = await self._client.sign_on(
            WorkerSignOn(
                name=self._worker.name,
                supported_task_types=self._worker.task_types,
                software_version=__version__,
                can_restart=self._worker.settings.restart_exit_code != 0,
            )
        )
        log.info("signed on to %s; it asks us to be %s", self._client.url, status)
        return status

    async def _again_while_busy(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await ask()
            except Busy as error:
                log.warning("%s", error)
                await self._wait()

    async def _wait(self) -> None:
        await self._worker.clock.sleep(self._backoff.pause())

    def _use(self) -> None:
        if self._credentials is not None:
            self._worker.id = self._credentials.worker_id
            self._client.use_credentials(self._credentials.worker_id, self._credentials.secret)
