"""A worker that is there, but does not speak of its task any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from flamenco_core.config import Duration
from flamenco_core.manager.store.workers import save_seen
from flamenco_core.manager.usecases.time_out import fail_silent_task
from flamenco_core.testing import FakeClock, RunningManager

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)


@pytest.fixture
async def api(
    manager: Any, judge: Any, clock: FakeClock, database: str | None
) -> AsyncIterator[RunningManager]:
    settings = {"task_timeout": Duration.parse("10m")} | (
        {"database": database} if database else {}
    )
    async with manager(settings=settings, clock=clock) as running:
        running.client.event_hooks["response"].append(judge)
        yield running


async def minutes(api: RunningManager, clock: FakeClock, count: int, *workers: Any) -> None:
    """Let time pass; the services run by hand, and *workers* show that they live."""
    for _ in range(count * 12):
        clock.set(clock.monotonic() + 5)
        for worker in workers:
            api.manager.liveness.heard(worker.uuid)
        await api.manager.fail_silent_tasks()


async def status_of(api: RunningManager, task: dict[str, Any]) -> str:
    shown = (await api.client.get(f"/api/v3/tasks/{task['uuid']}")).json()
    return str(shown["status"])


async def test_a_silent_run_is_a_failed_attempt_and_another_worker_tries(
    api, clock, go_worker, jobs
) -> None:
    silent, other = await go_worker("silent").join(), await go_worker("other").join()
    job = await jobs(0)
    task = (await silent.ask()).json()
    await minutes(api, clock, 9, silent, other)
    assert await status_of(api, task) == "active"
    await minutes(api, clock, 2, silent, other)
    assert await status_of(api, task) == "soft-failed"
    shown = (await api.client.get(f"/api/v3/tasks/{task['uuid']}")).json()
    assert [worker["name"] for worker in shown["failed_by_workers"]] == ["silent"]
    assert f"timed out on worker silent ({silent.uuid})" in shown["activity"]
    assert "Task failed by 1 worker: another worker will try" in await api.log(task["uuid"])
    assert (await silent.may_i_run(task))["mayKeepRunning"] is False
    assert (await silent.update(task, taskStatus="completed")).status_code == 409
    assert (await silent.ask()).status_code == 204
    assert (await other.ask()).json()["uuid"] == task["uuid"]
    await other.update(task, taskStatus="completed")
    assert (await api.job(job))["status"] == "completed"


@pytest.mark.parametrize("sign_of_life", ["may-i-run", "log", "progress", "image"])
async def test_every_word_about_the_task_counts(api, clock, go_worker, jobs, sign_of_life) -> None:
    worker, _ = await go_worker("a").join(), await go_worker("b").join()
    await jobs(0)
    task = (await worker.ask()).json()
    for _ in range(2):
        await minutes(api, clock, 9, worker)
        if sign_of_life == "may-i-run":
            await worker.may_i_run(task)
        elif sign_of_life == "image":
            await api.client.post(
                f"/api/v3/worker/task/{task['uuid']}/output-produced",
                content=b"\xff\xd8\xff",
                headers={"Authorization": worker.auth, "Content-Type": "image/jpeg"},
            )
        else:
            said = {"log": "Fra:1"} if sign_of_life == "log" else {"steps_completed": 0}
            assert (await worker.update(task, **said)).status_code == 204
    await minutes(api, clock, 9, worker)
    assert await status_of(api, task) == "active"


async def test_a_task_that_ended_in_time_is_left_alone(api, clock, go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs(0)
    task = (await worker.ask()).json()
    await worker.update(task, taskStatus="completed")
    await minutes(api, clock, 30, worker)
    assert await status_of(api, task) == "completed"


async def test_a_canceled_task_and_one_that_is_deleted_do_no_harm(
    api, clock, go_worker, jobs
) -> None:
    worker = await go_worker().join()
    job = await jobs(0)
    task = (await worker.ask()).json()
    await api.client.post(
        f"/api/v3/jobs/{job}/setstatus", json={"status": "cancel-requested", "reason": ""}
    )
    await minutes(api, clock, 11, worker)
    assert await status_of(api, task) == "canceled"
    api.manager.silence.heard("1f2c5e74-7c8e-4a51-8c5d-111111111111")
    await minutes(api, clock, 11, worker)


async def test_a_worker_that_went_to_another_manager_is_not_judged_by_the_first(
    api, clock, go_worker, jobs
) -> None:
    worker, _ = await go_worker("a").join(), await go_worker("b").join()
    await jobs(0)
    task = (await worker.ask()).json()
    write, rules = api.manager.database.write, api.manager.rules
    # What the other Manager stores.
    await write(save_seen, [(worker.uuid, clock.now())])
    for heard_here in (None, clock.now() - 600_000_000):
        await write(fail_silent_task, task["uuid"], 600.0, lambda _, at=heard_here: at, rules)
        assert await status_of(api, task) == "active"
    await write(fail_silent_task, task["uuid"], 600.0, lambda _: clock.now(), rules)
    assert await status_of(api, task) == "soft-failed"


async def test_a_pause_survives_a_silent_run(api, clock, go_worker, jobs) -> None:
    worker, _ = await go_worker("a").join(), await go_worker("b").join()
    job = await jobs(0)
    task = (await worker.ask()).json()
    await api.client.post(
        f"/api/v3/jobs/{job}/setstatus", json={"status": "pause-requested", "reason": ""}
    )
    await minutes(api, clock, 11, worker)
    assert await status_of(api, task) == "paused"
    assert (await api.job(job))["status"] == "paused"
