"""Puts a Worker together and runs it: ``create_worker(settings)``, ``await app.run()``."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from random import Random, SystemRandom
from typing import BinaryIO

import anyio
import anyio.to_thread
import attrs
import httpx

from flamenco_core import builtin, platform
from flamenco_core.backoff import Backoff
from flamenco_core.clock import Clock, NewId, SystemClock, new_id
from flamenco_core.config import Loaded, load_settings
from flamenco_core.domain.events import Event
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.errors import Busy, ConfigError, Refused
from flamenco_core.plugins import Plugins
from flamenco_core.plugins_dir import load_plugins_dir
from flamenco_core.supervisor import Supervisor
from flamenco_core.worker.client import ManagerClient
from flamenco_core.worker.door import door_of
from flamenco_core.worker.executor import alone
from flamenco_core.worker.host import Worker
from flamenco_core.worker.journal import Journal
from flamenco_core.worker.outbox import Outbox
from flamenco_core.worker.process import HOME_MARK, end_marked
from flamenco_core.worker.rotation import Rotation
from flamenco_core.worker.runner import TaskRunner
from flamenco_core.worker.settings import WorkerSettings
from flamenco_core.worker.signon import SignOn
from flamenco_core.worker.state import StateLoop
from flamenco_core.worker.uploads import Uploads

__all__ = ["WorkerApp", "create_worker", "run_with_signals"]

log = logging.getLogger(__name__)

STOPPED_BY_SIGNAL = 1
TOOK_TOO_LONG = 254


def create_worker(
    settings: WorkerSettings | Loaded[WorkerSettings] | None = None,
    *,
    plugins: Iterable[object] = (),
    blocked: Iterable[str] = (),
    discover: bool = True,
    strict: bool = False,
    clock: Clock | None = None,
    new_id: NewId = new_id,
    random: Random | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> WorkerApp:
    """Load the plugins and return a Worker that is ready to run.

    *discover* also loads installed plugins; *strict* raises on a plugin's first fault;
    *transport* takes the place of the network. Raises `DuplicateName`, `MissingPlugin`,
    `ConfigError`.
    """
    told = settings if isinstance(settings, Loaded) else _in_code(settings or WorkerSettings())
    settings = told.settings
    loaded = Plugins("worker", blocked={*settings.blocked, *blocked}, strict=strict)
    for module in builtin.WORKER:
        name = builtin.plugin_name(module)
        loaded.register(import_module(module), name, origin="built-in")
    if discover:
        loaded.load_installed()
    if settings.plugins_dir:
        load_plugins_dir(loaded, Path(settings.plugins_dir))
    for plugin in plugins:
        loaded.register(plugin)
    worker = Worker(loaded=told, plugins=loaded, clock=clock or SystemClock(), new_id=new_id)
    worker.collect_commands()
    loaded.require(settings.required)
    return WorkerApp(worker, random=random or SystemRandom(), transport=transport)


def _in_code(settings: WorkerSettings) -> Loaded[WorkerSettings]:
    """Return settings that were given in code as if they had been read."""
    sections = load_settings(
        None, WorkerSettings, overrides={"plugins": settings.plugins}, environ={}
    )
    return attrs.evolve(sections, settings=settings)


async def run_with_signals(app: WorkerApp) -> int:
    """Run a Worker that SIGINT and SIGTERM stop; a second one stops it at once."""
    import asyncio

    # A signal handler may run between any two steps; only this call is made for that.
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.call_soon_threadsafe(app.stop)

    with platform.on_stop_signals(stop):
        return await app.run()


class WorkerApp:
    """A Worker process; ``worker`` is what plugins see of it. Runs once."""

    def __init__(
        self, worker: Worker, *, random: Random, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self.worker = worker
        self._random = random
        self._transport = transport
        self._stops = 0
        self._work: anyio.CancelScope | None = None
        self._end: anyio.CancelScope | None = None
        self._lock: BinaryIO | None = None
        self._told = anyio.Event()

    def stop(self) -> None:
        """Stop: end the task's programs, send what waits, sign off. Again: at once."""
        self._stops += 1
        if self._work is not None:
            self._work.cancel()
        if self._stops > 1:
            self.worker.hurry.set()
            if self._end is not None:
                self._end.cancel()

    async def run(self, *, flush_only: bool = False) -> int:
        """Work until stopped or sent away; return the exit code.

        With *flush_only* sign on, deliver what an earlier run left, and sign off. Raises
        `ConfigError` when this Worker cannot start at all.
        """
        await anyio.to_thread.run_sync(self._open_home)
        # Not before: an app that is made only to be looked at leaves nothing open.
        self._events_in, self._events = anyio.create_memory_object_stream[Event](1000)
        try:
            home = str(self.worker.home)
            if ended := await end_marked({HOME_MARK: home}):
                log.warning("ended %d processes that an earlier run has left", ended)
            return await self._run(flush_only)
        except BaseExceptionGroup as group:
            # Task groups wrap; whoever reads the error cares for what is inside.
            raise alone(group) from None
        finally:
            self._events_in.close()
            self._events.close()
            if self._lock is not None:
                self._lock.close()

    async def find_manager(self) -> str | None:
        """Search once; return the Manager's URL, or None."""
        found: str | None = await self.worker.plugins.find("find_manager", worker=self.worker)
        return found

    def _open_home(self) -> None:
        home = self.worker.home
        try:
            home.mkdir(parents=True, exist_ok=True)
            self._lock = platform.lock_file(home / "flamenco-worker.lock")
        except OSError as error:
            raise ConfigError(f"cannot use {home} (FLAMENCO_HOME): {error}") from error
        if self._lock is None:
            raise ConfigError(
                f"another Worker is at work in {home}; give each its own FLAMENCO_HOME"
            )

    async def _run(self, flush_only: bool) -> int:
        url = await self._stoppable_search()
        if url is None:
            return STOPPED_BY_SIGNAL
        timings = self.worker.settings.timings
        door = await anyio.to_thread.run_sync(door_of, url, self.worker.settings)
        client = ManagerClient(
            door.url,
            request_time=timings.request,
            upload_time=timings.upload,
            heartbeat=timings.heartbeat,
            transport=self._transport,
        )
        try:
            return await self._run_with(client, door.ticket, flush_only)
        finally:
            with anyio.CancelScope(shield=True):
                await client.close()

    async def _stoppable_search(self) -> str | None:
        with self._working():
            return await self._search()
        return None

    async def _search(self) -> str:
        timings, clock = self.worker.settings.timings, self.worker.clock
        pauses = self._pauses(timings.retry_pause, timings.retry_pause_longest)
        started = clock.monotonic()
        while clock.monotonic() - started < timings.discovery:
            if url := await self.find_manager():
                return url
            log.warning("no Manager found yet; still searching")
            await clock.sleep(pauses.pause())
        raise ConfigError("no Manager found on this network; set 'manager_url' in the settings")

    async def _run_with(self, client: ManagerClient, ticket: str, flush_only: bool) -> int:
        timings = self.worker.settings.timings
        retry = (timings.retry_pause, timings.retry_pause_longest)
        outbox = Outbox(
            Journal(self.worker.home / "flamenco-worker.outbox"),
            clock=self.worker.clock,
            backoff=self._pauses(*retry),
        )
        uploads = Uploads(client)
        runner = TaskRunner(self.worker, client, outbox, offer=uploads.offer, tell=self._tell)
        sign_on = SignOn(self.worker, client, self._pauses(*retry), ticket)
        idle = self._pauses(timings.idle_pause, timings.idle_pause_longest)
        loop = StateLoop(
            self.worker, client, outbox, runner, sign_on, idle=idle, retry=self._pauses(*retry)
        )
        code = STOPPED_BY_SIGNAL
        services = Supervisor(
            self.worker.plugins.registered("register_services", host=self.worker).values(),
            clock=self.worker.clock,
            random=self._random,
        )
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._tell_plugins)
                with self._working():
                    await self._deliver_leftovers(outbox, client, sign_on)
                    group.start_soon(uploads.run)
                    group.start_soon(services.run)
                    group.start_soon(Rotation(self.worker, client, sign_on).run)
                    if flush_only:
                        await sign_on.run()
                        code = 0 if await outbox.flush_once(client) else 1
                    else:
                        code = await self._obey(outbox, client, loop)
                code = await self._leave(outbox, client, code)
                # Plugins still hear how the last run ended, if they are quick.
                self._events_in.close()
                with anyio.move_on_after(2, shield=True):
                    await self._told.wait()
                group.cancel_scope.cancel()
        finally:
            outbox.close()
        return code

    async def _deliver_leftovers(
        self, outbox: Outbox, client: ManagerClient, sign_on: SignOn
    ) -> None:
        """Send what an earlier process left, before signing on.

        The Manager gives the tasks of a worker that signs on to others: a result that was
        rendered already has to be there before.
        """
        waiting = await outbox.open()
        if await sign_on.load() and waiting:
            log.info("%d reports of an earlier run are waiting", waiting)
            await outbox.flush_once(client)

    async def _obey(self, outbox: Outbox, client: ManagerClient, loop: StateLoop) -> int:
        async with anyio.create_task_group() as group:
            group.start_soon(outbox.run, client)
            status = await loop.run()
            group.cancel_scope.cancel()
        restart = status == WorkerStatus.RESTART
        return self.worker.settings.restart_exit_code if restart else 0

    async def _leave(self, outbox: Outbox, client: ManagerClient, code: int) -> int:
        timings = self.worker.settings.timings
        if self._stops > 1:
            return code
        with anyio.move_on_after(timings.shutdown, shield=True) as self._end:
            with anyio.move_on_after(timings.final_flush):
                await outbox.flush_once(client)
            with anyio.move_on_after(timings.sign_off):
                await self._sign_off(client)
            return code
        return code if self._stops > 1 else TOOK_TOO_LONG

    async def _sign_off(self, client: ManagerClient) -> None:
        if not self.worker.id:
            return
        try:
            await client.sign_off()
        except (Busy, Refused) as error:
            log.warning("could not sign off: %s", error)

    def _working(self) -> anyio.CancelScope:
        """Return the scope that `stop` cancels."""
        self._work = anyio.CancelScope()
        if self._stops:
            self._work.cancel()
        return self._work

    def _pauses(self, first: float, longest: float) -> Backoff:
        return Backoff(first=first, longest=longest, random=self._random)

    def _tell(self, event: Event) -> None:
        # Plugins hear of it beside the work: a slow one must not hold up the next task.
        try:
            self._events_in.send_nowait(event)
        except anyio.WouldBlock:
            log.error("plugins do not keep up with events; %r is lost", event)

    async def _tell_plugins(self) -> None:
        async for event in self._events:
            await self.worker.plugins.tell("on_event", event=event, host=self.worker)
        self._told.set()
