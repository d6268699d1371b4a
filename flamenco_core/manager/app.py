"""Compose plugins and the API into one ASGI application."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib import import_module
from typing import Any

import attrs
from litestar import Litestar
from litestar.middleware import DefineMiddleware

from flamenco_core import builtin
from flamenco_core.clock import Clock, SystemClock, new_id
from flamenco_core.config import Loaded, load_settings
from flamenco_core.domain.events import ManagerStarted
from flamenco_core.errors import NotFound
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.api_document import ApiDocumentController
from flamenco_core.manager.http.blocklist import (
    JobBlocklistController,
    WorkerBlocklistController,
)
from flamenco_core.manager.http.configuration import ConfigurationController
from flamenco_core.manager.http.disposal import DisposalController
from flamenco_core.manager.http.events import EventController
from flamenco_core.manager.http.gate import Gate
from flamenco_core.manager.http.health import HealthController
from flamenco_core.manager.http.images import ImageController
from flamenco_core.manager.http.job_files import JobFileController
from flamenco_core.manager.http.job_types import JobTypeController
from flamenco_core.manager.http.jobs import JobController
from flamenco_core.manager.http.meta import MetaController
from flamenco_core.manager.http.old_workers import OldWorkerController
from flamenco_core.manager.http.output import OutputController
from flamenco_core.manager.http.problems import HANDLERS
from flamenco_core.manager.http.registration import RegistrationController
from flamenco_core.manager.http.registration_tokens import RegistrationTokenController
from flamenco_core.manager.http.retention import RetentionController
from flamenco_core.manager.http.routes import take_routes
from flamenco_core.manager.http.setup import SetupController
from flamenco_core.manager.http.shield import Shield
from flamenco_core.manager.http.sleep import SleepController, TagSleepController
from flamenco_core.manager.http.status_requests import StatusRequestController
from flamenco_core.manager.http.stuck import StuckController
from flamenco_core.manager.http.tasks import TaskController
from flamenco_core.manager.http.trials import TrialController
from flamenco_core.manager.http.why import WhyController
from flamenco_core.manager.http.worker import WorkerController
from flamenco_core.manager.http.worker_admission import WorkerAdmissionController
from flamenco_core.manager.http.worker_mgt import WorkerManagementController
from flamenco_core.manager.http.worker_variables import WorkerVariablesController
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.manager.usecases.recover import jobs_to_recover, recover_job
from flamenco_core.manager.usecases.workers import expected_workers
from flamenco_core.plugins import Plugins
from flamenco_core.plugins_dir import load_plugins_dir
from flamenco_core.supervisor import Supervisor

__all__ = ["create_manager"]

log = logging.getLogger(__name__)

CONTROLLERS = (
    MetaController,
    SetupController,
    ConfigurationController,
    HealthController,
    RegistrationController,
    WorkerController,
    JobTypeController,
    JobController,
    RetentionController,
    JobBlocklistController,
    WorkerBlocklistController,
    DisposalController,
    TaskController,
    OutputController,
    ImageController,
    JobFileController,
    WorkerManagementController,
    OldWorkerController,
    RegistrationTokenController,
    WorkerAdmissionController,
    WorkerVariablesController,
    SleepController,
    TagSleepController,
    TrialController,
    StatusRequestController,
    StuckController,
    WhyController,
    EventController,
    ApiDocumentController,
)
LAST_WORDS = 1.0
"""Seconds that plugins get to hear of the last events when the Manager stops."""


def create_manager(
    settings: Loaded[ManagerSettings] | ManagerSettings | None = None,
    *,
    plugins: Iterable[object] = (),
    blocked: Iterable[str] = (),
    discover: bool = True,
    strict: bool = False,
    clock: Clock | None = None,
) -> Litestar:
    """Build a Manager from built-in, installed and given plugins.

    It is an ordinary ASGI application: mount it, wrap it, test it. Nothing is opened
    before it starts. ``app.state.manager`` is the `Manager`.

    *discover* loads installed plugins and those of the settings' ``plugins_dir``; *strict*
    raises on the first broken plugin. Raises `ConfigError`, or `PluginError` for plugins
    that contradict each other or are required but missing.
    """
    loaded = _loaded(settings)
    manager = Manager(
        loaded,
        _load_plugins(loaded.settings, plugins, blocked, discover=discover, strict=strict),
        clock or SystemClock(),
        new_id,
    )
    manager.take_offers()
    routes = take_routes(manager, CONTROLLERS)
    manager.plugins.require(loaded.settings.required)
    app = Litestar(
        [*CONTROLLERS, *routes],
        middleware=[DefineMiddleware(Gate, manager=manager)],
        exception_handlers=HANDLERS,
        lifespan=[_life],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,  # the settings', which may change: see `Gate`
    )
    app.asgi_handler = Shield(app.asgi_handler, manager)
    app.state.manager = manager
    return app


def _loaded(settings: Loaded[ManagerSettings] | ManagerSettings | None) -> Loaded[ManagerSettings]:
    if isinstance(settings, Loaded):
        return settings
    if settings is None:
        return load_settings(None, ManagerSettings)
    sections = load_settings(
        None, ManagerSettings, overrides={"plugins": settings.plugins}, environ={}
    )
    return attrs.evolve(sections, settings=settings)


def _load_plugins(
    settings: ManagerSettings,
    given: Iterable[object],
    blocked: Iterable[str],
    *,
    discover: bool,
    strict: bool,
) -> Plugins:
    loaded = Plugins(
        "manager", blocked={*settings.blocked, *blocked}, strict=strict or settings.strict
    )
    for name in builtin.MANAGER:
        module = import_module(name)
        loaded.register(module, builtin.plugin_name(name), origin="built-in")
    if discover:
        loaded.load_installed()
        if settings.plugins_dir is not None:
            load_plugins_dir(loaded, settings.plugins_dir)
    for plugin in given:
        loaded.register(plugin)
    return loaded


@asynccontextmanager
async def _life(app: Litestar) -> AsyncIterator[None]:
    manager: Manager = app.state.manager
    async with AsyncExitStack() as stack:
        # It ends after the database: what that commits last is still told.
        stack.push_async_callback(manager.database.line.close)
        await manager.database.start(manager.deliver)
        stack.push_async_callback(manager.database.close)
        await manager.neighbors.start()
        await _recover(manager)
        manager.liveness.expect(await manager.database.read(expected_workers))
        manager.bus.publish([ManagerStarted()])
        stack.push_async_callback(
            _tell_the_rest, manager, _task(manager.bus.tell_plugins(), "events for plugins")
        )
        stack.push_async_callback(_cancel, _task(_learn_own_name(manager), "own name"))
        supervisor = Supervisor(manager.services, clock=manager.clock, duties=manager.database.line)
        manager.service_failures = supervisor.failures
        services = _task(supervisor.run(), "services")
        stack.push_async_callback(_cancel, services)
        # Again when a server that does not know us stops: ours has done it before.
        stack.callback(manager.end_streams)
        yield


async def _recover(manager: Manager) -> None:
    for job in await manager.database.read(jobs_to_recover, manager.rules):
        # One by one: none of another Manager's transactions has to wait long.
        with suppress(NotFound):
            await manager.database.write(recover_job, job, manager.rules)


def _task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    return asyncio.create_task(work, name=name)


async def _learn_own_name(manager: Manager) -> None:
    # Beside: it asks the DNS, which may take its time.
    manager.hosts.learn(await asyncio.to_thread(socket.getfqdn))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=LAST_WORDS)


async def _tell_the_rest(manager: Manager, telling: asyncio.Task[None]) -> None:
    manager.bus.end()
    await asyncio.wait({telling}, timeout=LAST_WORDS)
    if not telling.done():
        log.warning("a plugin is still busy with an event; the Manager stops without it")
        await _cancel(telling)
