"""What the tests of several Managers do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from flamenco_core.manager.bus import Subscription
from flamenco_core.testing import RunningManager
from flamenco_core.testing.running import running_manager

SECRET = "s"


class Managers:
    """Managers on one database, in one process; each lives in a task of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self._lives: dict[RunningManager, tuple[asyncio.Event, asyncio.Task[None]]] = {}
        self._count = 0

    async def start(self, *plugins: object, **settings: Any) -> RunningManager:
        self._count += 1
        given = {
            "database": self.url,
            "local_manager_storage_path": self.folder / "local",
            "shared_storage_path": str(self.folder / "shared"),
            "autodiscoverable": False,
        }
        folder = self.folder / str(self._count)
        manager = running_manager(folder, plugins, settings=given | settings)
        began: asyncio.Future[RunningManager] = asyncio.get_running_loop().create_future()
        end = asyncio.Event()
        life = asyncio.create_task(_live(manager, began, end))
        await asyncio.wait({life, began}, return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            await life
        self._lives[began.result()] = (end, life)
        return began.result()

    async def two(self, *plugins: object) -> tuple[RunningManager, RunningManager]:
        """Start two that know each other."""
        both = await self.start(*plugins), await self.start(*plugins)
        await know_each_other(*both)
        # What comes with the greeting is over when the news of one has reached the other.
        for sender, receiver in (both, both[::-1]):
            await hears(sender, receiver)
        return both

    async def stop(self, running: RunningManager) -> None:
        end, life = self._lives.pop(running)
        end.set()
        await life

    async def stop_all(self) -> None:
        while self._lives:
            await self.stop(next(iter(self._lives)))


async def _live(
    manager: AbstractAsyncContextManager[RunningManager],
    began: asyncio.Future[RunningManager],
    end: asyncio.Event,
) -> None:
    async with manager as running:
        began.set_result(running)
        await end.wait()


async def know_each_other(*several: RunningManager) -> None:
    for running in several:
        await until(lambda running=running: not is_alone(running))


def is_alone(running: RunningManager) -> bool:
    return running.manager.database.line.is_alone


async def hears(sender: RunningManager, receiver: RunningManager) -> None:
    """Wait until what one Manager says has arrived at another."""
    # What is said before it knows of the other one is not sent: that one reads all again.
    await know_each_other(sender)
    heard = receiver.manager.bus.subscribe()
    sender.manager.tell_log("job", f"from {id(sender)}", "x")
    await event(heard, lambda told: getattr(told, "task_id", "") == f"from {id(sender)}")
    receiver.manager.bus.unsubscribe(heard)


async def event(heard: Subscription, is_it: Callable[[Any], bool]) -> Any:
    """Return the next event that it is; others are passed over."""
    async with asyncio.timeout(10):
        while not is_it(found := (await heard.next(10)).event):  # type: ignore[union-attr]
            pass
        return found


async def until(found: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Return what *found* finds, as soon as it does."""
    async with asyncio.timeout(seconds):
        while not (result := found()):
            await asyncio.sleep(0.01)
    return result


async def join(running: RunningManager, name: str = "w", beat: int | None = 5) -> str:
    """Register a worker and make it awake; return its id."""
    body = {"name": name, "platform": "linux", "secret": SECRET, "supported_task_types": ["misc"]}
    answer = await running.client.post("/api/v3/worker/register-worker", json=body)
    worker: str = answer.json()["uuid"]
    answer = await ask(running, worker, "state-changed", {"status": "awake"}, beat)
    assert answer.status_code == 204
    return worker


async def ask(
    running: RunningManager,
    worker: str,
    path: str,
    body: Any = None,
    beat: int | None = 5,
    **headers: str,
) -> httpx.Response:
    if beat is not None:
        headers["Flamenco-Heartbeat"] = str(beat)
    url = f"/api/v3/worker/{path}"
    return await running.client.post(url, json=body, auth=(worker, SECRET), headers=headers)


async def submit(running: RunningManager) -> str:
    return await running.submit("echo-sleep-test", {"message": "hello"})


async def status_of(running: RunningManager, worker: str) -> str:
    answer = await running.client.get(f"/api/v3/worker-mgt/workers/{worker}")
    return str(answer.json()["status"])


def sql(url: str, statement: str, *values: Any) -> list[Any]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def cut_lines(url: str) -> None:
    """End the connections over which Managers talk, as a network would."""
    sql(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'flamenco line'",
    )
