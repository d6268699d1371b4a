from __future__ import annotations

import asyncio
from contextlib import suppress

from flamenco_core import Service


async def test_the_example_writes_the_time(load, example, host, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    plugins = load("manager", example("register_services"))
    service = plugins.registered("register_services", host=host)["note-alive"]
    assert service.every == 600
    await service.run()
    assert (tmp_path / "alive.txt").read_text() == f"{host.clock.now()}\n"


def test_services_of_several_plugins_are_all_there(load, implementing) -> None:
    async def run() -> None: ...

    def offering(name: str):
        return implementing(name, register_services=lambda: [Service(name=name, run=run)])

    plugins = load("manager", offering("a"), offering("b"))
    assert list(plugins.registered("register_services", host=None)) == ["a", "b"]
    assert plugins.owner_of("register_services", "b") == "b"


# -- in a Manager ----------------------------------------------------------------------------


async def test_a_manager_runs_it_as_long_as_it_lives(manager, implementing) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    plugin = implementing(register_services=lambda: [Service(name="watch", run=run)])
    async with manager([plugin]):
        async with asyncio.timeout(5):
            await began.wait()
        assert not ended.is_set()
    assert ended.is_set()


async def test_one_that_raises_does_not_disturb_the_manager(manager, implementing, caplog) -> None:
    failed = asyncio.Event()

    async def run() -> None:
        failed.set()
        raise OSError("no route to host")

    plugin = implementing(register_services=lambda: [Service(name="watch", run=run)])
    async with manager([plugin]) as running:
        async with asyncio.timeout(5):
            await failed.wait()
        assert (await running.client.get("/api/v3/version")).is_success
    assert "no route to host" in caplog.text


async def test_one_that_does_not_end_does_not_keep_the_manager(manager, implementing) -> None:
    began = asyncio.Event()

    async def run() -> None:
        began.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    plugin = implementing(register_services=lambda: [Service(name="stubborn", run=run)])
    async with asyncio.timeout(5):
        async with manager([plugin]):
            await began.wait()


async def test_workers_that_are_not_heard_of_are_given_up(manager, clock) -> None:
    async with manager(clock=clock) as running:
        body = {"name": "w", "platform": "linux", "secret": "s", "supported_task_types": []}
        answer = await running.client.post("/api/v3/worker/register-worker", json=body)
        id = answer.json()["uuid"]
        other = (await running.client.post("/api/v3/worker/register-worker", json=body)).json()
        for worker in (id, other["uuid"]):
            await running.client.post(
                "/api/v3/worker/state-changed", json={"status": "awake"}, auth=(worker, "s")
            )
        # One is deleted; that it is missing must not keep the other.
        await running.client.delete(f"/api/v3/worker-mgt/workers/{other['uuid']}")
        running.manager.liveness.heard(other["uuid"])
        clock.set(clock.monotonic() + 100)
        await running.manager.give_up_overdue()
        shown = (await running.client.get(f"/api/v3/worker-mgt/workers/{id}")).json()
        assert shown["status"] == "error"
        assert running.manager.liveness.overdue() == []
