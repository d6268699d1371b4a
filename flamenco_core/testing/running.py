"""A Manager, and a whole farm, in the test's own process and without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import attrs
import httpx
from litestar import Litestar

from flamenco_core.config import Loaded
from flamenco_core.domain.events import JobEvent
from flamenco_core.manager import ManagerSettings, create_manager
from flamenco_core.manager.host import Manager
from flamenco_core.worker.app import create_worker
from flamenco_core.worker.settings import Timings, WorkerSettings

__all__ = ["Farm", "RunningManager", "running_farm", "running_manager"]

URL = "http://manager.test"
ENDS = frozenset({"completed", "failed", "canceled", "paused"})
QUICK = Timings(retry_pause=0.01, retry_pause_longest=0.1, log_chunk=0.1, readiness_pause=0.01)


@attrs.frozen(kw_only=True)
class RunningManager:
    """A Manager that runs: its application, its plugins' view, and a client for its API."""

    app: Litestar
    manager: Manager
    client: httpx.AsyncClient

    async def submit(
        self, type: str, settings: Mapping[str, Any] | None = None, **rest: Any
    ) -> str:
        """Submit a job; return its id. *rest* are further keys of ``SubmittedJob``.

        Raises `AssertionError` with the Manager's words when it is refused.
        """
        job = {"name": type, "submitter_platform": "manager", **rest}
        answer = await self.client.post(
            "/api/v3/jobs", json={**job, "type": type, "settings": dict(settings or {})}
        )
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    async def job(self, id: str) -> dict[str, Any]:
        """Return a job as the API shows it."""
        return await self._get(f"jobs/{id}")

    async def tasks(self, job: str) -> list[dict[str, Any]]:
        """Return a job's tasks as the API shows them."""
        return list((await self._get(f"jobs/{job}/tasks"))["tasks"])

    async def log(self, task: str) -> str:
        """Return the whole log of a task."""
        info = await self._get(f"tasks/{task}/log")
        return (await self.client.get(info["url"])).text

    async def _get(self, path: str) -> dict[str, Any]:
        answer = await self.client.get(f"/api/v3/{path}")
        assert answer.is_success, answer.text
        return dict(answer.json())


@attrs.frozen(kw_only=True)
class Farm(RunningManager):
    """A Manager with Workers."""

    async def run_until_done(self, job: str, limit: float = 30.0) -> dict[str, Any]:
        """Wait until nothing of a job goes on; return the job as the API shows it.

        Raises `TimeoutError` after *limit* seconds.
        """
        events = self.manager.bus.subscribe()
        try:
            with anyio.fail_after(limit):
                while (shown := await self.job(job))["status"] not in ENDS:
                    # Any news of a job is reason enough to look.
                    while not isinstance((await anext(aiter(events))).event, JobEvent):
                        pass
        finally:
            self.manager.bus.unsubscribe(events)
        return shown


@asynccontextmanager
async def running_manager(
    folder: Path,
    plugins: Iterable[object] = (),
    *,
    settings: Mapping[str, Any] | Loaded[ManagerSettings] | None = None,
    **how: Any,
) -> AsyncIterator[RunningManager]:
    """Run a Manager with its files in *folder*.

    *settings* are fields of `ManagerSettings`, or all of them as they were loaded from a
    file; *how* are further arguments of `create_manager`. Installed plugins are left out,
    and a broken one raises, unless *how* says otherwise.
    """
    app = create_manager(
        settings if isinstance(settings, Loaded) else _settings(folder, settings or {}),
        plugins=plugins,
        **{"discover": False, "strict": True, **how},
    )
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=_network(app), base_url=URL) as client,
    ):
        yield RunningManager(app=app, manager=app.state.manager, client=client)


def _network(app: Litestar) -> httpx.ASGITransport:
    return httpx.ASGITransport(cast("Any", app))


def _settings(folder: Path, given: Mapping[str, Any]) -> ManagerSettings:
    shared = folder / "shared"
    shared.mkdir(parents=True, exist_ok=True)
    standard: dict[str, Any] = {
        "database": str(folder / "manager.sqlite"),
        "local_manager_storage_path": folder / "local",
        "shared_storage_path": str(shared),
    }
    return ManagerSettings(**{**standard, **given})


@asynccontextmanager
async def running_farm(
    folder: Path,
    plugins: Iterable[object] = (),
    *,
    workers: int = 1,
    worker_settings: Mapping[str, Any] | None = None,
    **how: Any,
) -> AsyncIterator[Farm]:
    """Run a Manager and Workers in this process.

    *plugins* are given to both. *worker_settings* are fields of `WorkerSettings`, *how*
    arguments of `running_manager`.
    """
    plugins = list(plugins)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(running_manager(folder, plugins, **how))
        for number in range(1, workers + 1):
            settings = {
                "manager_url": URL,
                "worker_name": f"worker-{number}",
                "home": str(folder / f"worker-{number}"),
                "timings": QUICK,
                **(worker_settings or {}),
            }
            worker = _worker(running.app, WorkerSettings(**settings), plugins)
            await stack.enter_async_context(worker)
        yield Farm(app=running.app, manager=running.manager, client=running.client)


@asynccontextmanager
async def _worker(
    app: Litestar, settings: WorkerSettings, plugins: list[object]
) -> AsyncIterator[None]:
    worker = create_worker(
        settings,
        plugins=plugins,
        discover=False,
        strict=True,
        transport=_network(app),
    )
    async with anyio.create_task_group() as group:
        group.start_soon(worker.run)
        try:
            yield
        finally:
            worker.stop()
