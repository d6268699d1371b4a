"""A worker that was given up and calls again has not lost its work."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.manager.usecases import workers


@pytest.fixture
async def given_up(api: Any, go_worker: Any) -> Any:
    """A worker with a task that was given up for lost; and a second worker."""
    first, second = await go_worker("first").join(), await go_worker("second").join()
    job = await api.submit("echo-sleep-test", {"message": "x"})
    task = (await first.ask()).json()
    manager = api.manager
    await manager.database.write(workers.give_up_workers, [first.uuid], manager.rules)
    assert (await api.tasks(job))[0]["status"] == "queued"
    return first, second, task, job


async def test_a_run_that_was_given_up_may_go_on_and_deliver(api: Any, given_up: Any) -> None:
    worker, _, task, job = given_up
    assert (await worker.may_i_run(task))["mayKeepRunning"] is True
    assert (await worker.update(task, taskStatus="completed")).status_code == 204
    assert (await api.job(job))["status"] == "completed"


async def test_not_when_another_worker_has_the_task(given_up: Any) -> None:
    worker, second, task, _ = given_up
    assert (await second.ask()).json()["uuid"] == task["uuid"]
    answer = await worker.may_i_run(task)
    assert answer["mayKeepRunning"] is False
    assert "not assigned" in answer["reason"]
    assert (await worker.update(task, taskStatus="completed")).status_code == 409
