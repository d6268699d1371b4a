"""Runs of tasks that take longer than their type may, however lively their worker is."""

from __future__ import annotations

from typing import Any

import pytest
from wire_conversation import on_both

from flamenco_core.config import Duration
from flamenco_core.testing import FakeClock

pytestmark = on_both


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"task_timeouts": {"Misc": Duration.parse("1m"), "blender": Duration.parse("2h")}}


@pytest.fixture
def more(clock: FakeClock) -> dict[str, Any]:
    return {"clock": clock}


@pytest.fixture
def work_on(api: Any, clock: FakeClock) -> Any:
    """Let seconds pass in which workers say that they are at work."""

    async def pass_by(seconds: int, worker: Any, task: dict[str, Any]) -> bool:
        for _ in range(seconds // 5):
            clock.set(clock.monotonic() + 5)
            may = await worker.may_i_run(task)
            await api.manager.fail_silent_tasks()
            await api.manager.long_runs.look()
        return bool(may["mayKeepRunning"])

    return pass_by


async def shown(api: Any, task: dict[str, Any], what: str = "") -> dict[str, Any]:
    return dict((await api.client.get(f"/api/v3/tasks/{task['uuid']}{what}")).json())


async def test_a_run_that_takes_too_long_is_a_failed_attempt_and_others_try(
    api: Any, go_worker: Any, jobs: Any, work_on: Any
) -> None:
    slow, _ = await go_worker("slow").join(), await go_worker("other", secret="6" * 64).join()
    await jobs(0)
    task = (await slow.ask()).json()
    why = (await shown(api, task, "/why"))["reason"]
    assert why == "it is at work on slow; a run may take 1m0s (task_timeouts), then others try"
    assert await work_on(60, slow, task)
    await work_on(10, slow, task)
    found = await shown(api, task)
    assert found["status"] == "soft-failed"
    assert "ran for longer than 1m0s, the limit for tasks of type 'misc'" in found["activity"]
    assert [worker["name"] for worker in found["failed_by_workers"]] == ["slow"]
    assert not (await slow.may_i_run(task))["mayKeepRunning"]
    assert (await slow.update(task, taskStatus="completed")).status_code == 409


async def test_one_that_ends_in_time_is_left_alone(
    api: Any, go_worker: Any, jobs: Any, work_on: Any
) -> None:
    worker = await go_worker().join()
    await jobs(0)
    task = (await worker.ask()).json()
    await work_on(55, worker, task)
    await worker.update(task, taskStatus="completed")
    await work_on(20, worker, task)
    assert (await shown(api, task))["status"] == "completed"


@pytest.mark.parametrize("settings", [{}, {"task_timeouts": {"misc": Duration()}}])
async def test_without_a_limit_a_task_may_take_for_ever(
    api: Any, go_worker: Any, jobs: Any, work_on: Any
) -> None:
    worker = await go_worker().join()
    await jobs(0)
    task = (await worker.ask()).json()
    assert await work_on(600, worker, task)
    assert (await shown(api, task, "/why"))["reason"] == "it is at work on go"
