"""A job says why its tasks are not at work."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


async def why(api: Any, job: str) -> dict[str, int]:
    answer = await api.client.get(f"/api/v3/jobs/{job}/why")
    assert answer.status_code == 200, answer.text
    assert answer.json()["job_id"] == job
    for found in answer.json()["reasons"]:
        assert 0 < len(found["tasks"]) <= 10
    return {found["reason"]: found["tasks_count"] for found in answer.json()["reasons"]}


async def test_without_workers_and_with_tasks_that_come_later(api: Any, jobs: Any) -> None:
    assert await why(api, await jobs(2)) == {
        "no worker has registered yet; start one": 1,
        "waits for tasks that come before it": 2,
    }


async def test_a_job_at_work_waits_for_its_turn(api: Any, go_worker: Any, jobs: Any) -> None:
    worker, job = await go_worker("anna").join(), await jobs(0)
    other = await jobs(0)
    assert (await why(api, job)).keys() == {
        "ready; a worker takes it the next time it asks for work"
    }
    await worker.ask()
    assert await why(api, job) == {}
    assert await why(api, other) == {"waits for its turn; at work on other tasks: anna": 1}


async def test_a_failed_try_is_remembered(api: Any, go_worker: Any, jobs: Any) -> None:
    first, second = await go_worker("anna").join(), await go_worker("bela").join()
    job = await jobs(0)
    task = (await first.ask()).json()
    await first.update(task, taskStatus="failed")
    await second.post("state-changed", {"status": "asleep"})
    assert await why(api, job) == {"no worker that may run it is awake: bela (asleep)": 1}


async def test_a_tag_that_nobody_has_is_named(api: Any, go_worker: Any, jobs: Any) -> None:
    tag = (await api.client.post("/api/v3/worker-mgt/tags", json={"name": "gpu"})).json()
    await go_worker().join()
    (reason,) = await why(api, await jobs(0, worker_tag=tag["id"]))
    assert "has the job's tag 'gpu'" in reason


@pytest.mark.parametrize("status", ["paused", "canceled"])
async def test_a_job_that_was_stopped_says_so(
    api: Any, go_worker: Any, jobs: Any, status: str
) -> None:
    await go_worker().join()
    job = await jobs(1, initial_status="paused")
    if status == "canceled":
        body = {"status": "cancel-requested", "reason": "x"}
        await api.client.post(f"/api/v3/jobs/{job}/setstatus", json=body)
        assert await why(api, job) == {}
    else:
        assert await why(api, job) == {"the job is paused; queue it again to go on": 2}


async def test_an_unknown_job_is_404(api: Any) -> None:
    assert (await api.client.get(f"/api/v3/jobs/{NOWHERE}/why")).status_code == 404
