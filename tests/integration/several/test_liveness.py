"""A worker is heard by any Manager, and no Manager gives up one that another has heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from several_steps import (
    Managers,
    ask,
    event,
    join,
    sql,
    status_of,
    submit,
    until,
)

from flamenco_core.domain.events import TaskLogged
from flamenco_core.testing import RunningManager
from flamenco_core.testing.postgresql import PostgresServer, find_binaries

pytestmark = pytest.mark.postgresql


async def silent_since(managers: Managers, seconds: float) -> None:
    """Let all workers have been silent for so long already."""
    sql(managers.url, "UPDATE contacts SET heard_at = heard_at - %s", round(seconds * 1_000_000))


async def stored(managers: Managers, worker: str) -> None:
    query = "SELECT 1 FROM contacts JOIN workers ON id = worker_id WHERE uuid = %s"
    # Not the patience that is for workers of which nobody has heard yet.
    query += " AND patience <> 70000000"
    await until(lambda: sql(managers.url, query, worker))


def has_watched(*several: RunningManager) -> None:
    """Let Managers have watched for long enough."""
    for running in several:
        running.manager.timeouts._watch._since -= 1000  # type: ignore[attr-defined]
        # Who takes a duty counts as one whose predecessor has just gone.
        running.manager.timeouts._left_at -= 1000  # type: ignore[attr-defined]


async def test_a_worker_that_nobody_hears_is_given_up_and_its_task_returned(
    managers: Managers,
) -> None:
    alfa, beta = await managers.two()
    job = await submit(alfa)
    worker = await join(beta)
    assert (await ask(beta, worker, "task")).status_code == 200
    await stored(managers, worker)
    has_watched(alfa, beta)
    # The Manager that decides must not have heard of it itself.
    for running in (alfa, beta):
        running.manager.liveness._contacts.clear()
    await silent_since(managers, 21)
    async with asyncio.timeout(5):
        while await status_of(alfa, worker) != "error":
            await asyncio.sleep(0.05)
    tasks = await beta.tasks(job)
    assert {task["status"] for task in tasks} == {"queued"}


async def test_who_calls_the_other_manager_is_kept(managers: Managers) -> None:
    alfa, beta = await managers.two()
    worker = await join(alfa, beat=1)
    await stored(managers, worker)
    has_watched(alfa, beta)
    # Twice its time-out, heard by one Manager only; whichever of both decides.
    until_then = time.monotonic() + 8
    while time.monotonic() < until_then:
        assert (await ask(beta, worker, "state", beat=1)).status_code in (204, 405)
        await ask(beta, worker, "task", beat=1)
        await asyncio.sleep(0.5)
    assert await status_of(alfa, worker) == "awake"


async def test_nobody_writes_per_request(managers: Managers) -> None:
    alfa, _ = await managers.two()
    worker = await join(alfa, beat=60)
    await stored(managers, worker)
    (before,) = sql(managers.url, "SELECT heard_at FROM contacts")
    for _ in range(50):
        await ask(alfa, worker, "task", beat=60)
    alfa.manager.liveness._to_store.clear()
    assert sql(managers.url, "SELECT heard_at FROM contacts") == [before]


async def test_a_manager_that_starts_expects_those_that_should_be_there(
    managers: Managers,
) -> None:
    alfa = await managers.start()
    worker = await join(alfa)
    await stored(managers, worker)
    sql(managers.url, "DELETE FROM contacts")
    await managers.stop(alfa)
    await managers.start()
    await until(lambda: sql(managers.url, "SELECT 1 FROM contacts WHERE patience = 70000000"))


async def test_a_start_does_not_undo_what_another_manager_does(managers: Managers) -> None:
    alfa = await managers.start()
    jobs = [await submit(alfa) for _ in range(3)]
    worker = await join(alfa)
    held = (await ask(alfa, worker, "task")).json()
    before = sql(managers.url, "SELECT * FROM jobs ORDER BY id")
    beta = await managers.start()
    assert sql(managers.url, "SELECT * FROM jobs ORDER BY id") == before
    assert {(await beta.job(job))["status"] for job in jobs} <= {"active", "queued"}
    # The run that began with one Manager is reported to the other.
    body = {"taskStatus": "completed", "epoch": held["epoch"], "seq": 1}
    assert (await ask(beta, worker, f"task/{held['uuid']}", body)).status_code == 204


async def test_a_job_that_is_wrong_is_put_right_at_a_start(managers: Managers) -> None:
    alfa = await managers.start()
    wrong, right = [await submit(alfa) for _ in range(2)]
    sql(managers.url, "UPDATE jobs SET status = 'paused' WHERE uuid = %s", wrong)
    sql(managers.url, "UPDATE lanes SET open = 0")
    beta = await managers.start()
    for job in (wrong, right):
        assert (await beta.job(job))["status"] == "queued"
    assert (await ask(beta, await join(beta), "task")).status_code == 200


# -- PostgreSQL itself goes away


@pytest.fixture
def fragile_server() -> Iterator[PostgresServer]:
    binaries = find_binaries()
    assert binaries is not None
    server = PostgresServer(binaries, fsync=False)
    server.start()
    yield server
    server.stop()


async def as_workers_wait(running: RunningManager, worker: str) -> Any:
    """Wait for a task, again and again while the Manager is busy."""
    while True:
        answer = await ask(running, worker, "task", beat=60, Prefer="wait=60")
        if answer.status_code == 200:
            return answer.json()
        assert answer.status_code == 503
        await asyncio.sleep(0.05)


async def test_after_postgresql_was_restarted_the_farm_goes_on(
    fragile_server: PostgresServer, managers: Managers, caplog: pytest.LogCaptureFixture
) -> None:
    managers.url = fragile_server.url(fragile_server.create_database())
    alfa, beta = await managers.two()
    worker = await join(beta)
    heard = beta.manager.bus.subscribe()
    waiting = asyncio.create_task(as_workers_wait(beta, worker))
    await until(lambda: len(beta.manager.doorbell) == 1)
    await asyncio.to_thread(fragile_server.restart)
    assert await event(heard, lambda told: told is None) is None
    await until(lambda: caplog.text.count("the line to other Managers is back") == 2, 30)
    await until(lambda: len(beta.manager.doorbell) == 1)
    job = await submit(alfa)
    assert (await asyncio.wait_for(waiting, 20))["job"] == job
    alfa.manager.tell_log("j", "t", "hello again")
    told = await event(heard, lambda told: isinstance(told, TaskLogged))
    assert told.text == "hello again"
    assert await status_of(alfa, worker) == "awake"
