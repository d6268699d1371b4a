from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from flamenco_core.testing import FakeManager
from flamenco_core.worker.app import WorkerApp, create_worker
from flamenco_core.worker.settings import Timings, WorkerSettings

QUICK = Timings(
    long_wait=5,
    idle_pause=0.005,
    idle_pause_longest=0.02,
    retry_pause=0.005,
    retry_pause_longest=0.02,
    heartbeat=0.02,
    asleep_poll=0.01,
    log_chunk=0.05,
    stop_grace=0.3,
    readiness_pause=0.01,
)


@attrs.define
class Running:
    """A Worker at work; ``code`` is its exit code, once it has ended."""

    app: WorkerApp
    code: int | None = None
    ended: anyio.Event = attrs.field(factory=anyio.Event)


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def manager() -> FakeManager:
    return FakeManager()


@pytest.fixture
def settings(tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(
        manager_url="http://manager.test/farm",
        worker_name="alfa",
        home=str(tmp_path / "home"),
        timings=QUICK,
    )


@pytest.fixture
def start(manager: FakeManager, settings: WorkerSettings) -> Start:
    """``async with start() as running``: a Worker that works for *manager*."""

    @asynccontextmanager
    async def started(
        plugins: Iterable[object] = (), transport: Any = None, **changes: Any
    ) -> AsyncIterator[Running]:
        app = create_worker(
            attrs.evolve(settings, **changes),
            plugins=plugins,
            discover=False,
            transport=transport or manager,
        )
        running = Running(app)

        async def run() -> None:
            running.code = await app.run()
            running.ended.set()

        async with anyio.create_task_group() as group:
            group.start_soon(run)
            try:
                yield running
            finally:
                app.stop()
                with anyio.fail_after(10):
                    await running.ended.wait()

    return started
