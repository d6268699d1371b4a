"""Compose plugins and the API into one ASGI application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module

from litestar import Litestar
from litestar.exceptions import ImproperlyConfiguredException

from flamenco_core import builtin
from flamenco_core.clock import Clock, SystemClock, new_id
from flamenco_core.config import Loaded, load_settings
from flamenco_core.domain.events import ManagerStarted, ManagerStopping
from flamenco_core.errors import PluginError
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.events import EventController
from flamenco_core.manager.http.job_types import JobTypeController
from flamenco_core.manager.http.jobs import JobController
from flamenco_core.manager.http.meta import MetaController
from flamenco_core.manager.http.plumbing import admit
from flamenco_core.manager.http.problems import HANDLERS
from flamenco_core.manager.http.tasks import TaskController, TaskLogFiles
from flamenco_core.manager.http.worker import WorkerController
from flamenco_core.manager.http.worker_mgt import WorkerManagementController
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.manager.usecases.recover import recover_jobs
from flamenco_core.manager.usecases.workers import expected_workers
from flamenco_core.plugins import Plugins
from flamenco_core.plugins_dir import load_plugins_dir
from flamenco_core.supervisor import Supervisor

__all__ = ["create_manager"]

log = logging.getLogger(__name__)

CONTROLLERS = (
    MetaController,
    WorkerController,
    JobTypeController,
    JobController,
    TaskController,
    TaskLogFiles,
    WorkerManagementController,
    EventController,
)
MAX_BODY = 32 * 1024 * 1024


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
    routes = manager.plugins.registered("register_routes", manager=manager)
    manager.plugins.require(loaded.settings.required)
    try:
        app = Litestar(
            [*CONTROLLERS, *routes.values()],
            guards=[admit],
            exception_handlers=HANDLERS,
            lifespan=[_life],
            openapi_config=None,
            logging_config=None,
            request_max_body_size=MAX_BODY,
        )
    except ImproperlyConfiguredException as error:
        raise PluginError("register_routes", f"routes contradict each other: {error}") from error
    app.state.manager = manager
    return app


def _loaded(settings: Loaded[ManagerSettings] | ManagerSettings | None) -> Loaded[ManagerSettings]:
    if isinstance(settings, Loaded):
        return settings
    loaded = load_settings(None, ManagerSettings)
    if settings is not None:
        loaded.settings = settings
    return loaded


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
        await manager.database.start(manager.deliver)
        stack.push_async_callback(manager.database.close)
        await manager.database.write(recover_jobs, manager.rules)
        manager.liveness.expect(await manager.database.read(expected_workers))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [
            group.create_task(manager.bus.tell_plugins(), name="plugins' events"),
            group.create_task(
                Supervisor(manager.services, clock=manager.clock).run(), name="services"
            ),
        ]
        manager.bus.publish([ManagerStarted()])
        try:
            yield
        finally:
            manager.bus.publish([ManagerStopping()])
            manager.end_streams()
            tasks[1].cancel()
