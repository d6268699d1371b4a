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
    worker, job = await go_worker("alfa").join(), await jobs(0)
    other = await jobs(0)
    assert (await why(api, job)).keys() == {
        "ready; a worker takes it the next time it asks for work"
    }
    await worker.ask()
    assert await why(api, job) == {}
    assert await why(api, other) == {"waits for its turn; at work on other tasks: alfa": 1}


async def test_a_failed_try_is_remembered(api: Any, go_worker: Any, jobs: Any) -> None:
    first, second = await go_worker("alfa").join(), await go_worker("bela").join()
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


# -- tasks -----------------------------------------------------------------------------------


async def why_task(api: Any, task: str) -> tuple[str, list[str]]:
    answer = await api.client.get(f"/api/v3/tasks/{task}/why")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["task_id"] == task
    return found["reason"], [parent["name"] for parent in found["waits_for"]]


async def test_a_task_says_what_it_waits_for(api: Any, go_worker: Any, jobs: Any) -> None:
    worker = await go_worker("alfa").join()
    echo, sleep = await api.tasks(await jobs(1))
    assert await why_task(api, sleep["id"]) == (
        "waits for tasks that come before it: echo (queued)",
        ["echo"],
    )
    assert (await why_task(api, echo["id"]))[0].startswith("ready; a worker takes it")
    task = (await worker.ask()).json()
    await worker.update(task, activity="rendering")
    assert await why_task(api, echo["id"]) == ("it is at work on alfa: rendering", [])
    await worker.update(task, taskStatus="completed")
    assert await why_task(api, echo["id"]) == ("it is completed", [])
    assert (await why_task(api, sleep["id"]))[1] == []


async def test_a_task_that_is_over_says_how_it_ended(api: Any, go_worker: Any, jobs: Any) -> None:
    worker = await go_worker("alfa").join()
    job = await jobs(1)
    echo, sleep = await api.tasks(job)
    await worker.update((await worker.ask()).json(), taskStatus="failed", activity="Failed: 1")
    reason, _ = await why_task(api, echo["id"])
    assert reason == "it failed on alfa: Failed: 1; queue it again to try once more"
    assert (await why_task(api, sleep["id"]))[0].startswith("it was canceled: ")


async def test_a_task_of_a_paused_job_says_so(api: Any, jobs: Any) -> None:
    (task,) = await api.tasks(await jobs(0, initial_status="paused"))
    assert (await why_task(api, task["id"]))[0] == "the job is paused; queue it again to go on"


# -- workers ---------------------------------------------------------------------------------


async def why_worker(api: Any, worker: Any) -> list[str]:
    answer = await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}/why")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["worker_id"], found["name"]) == (worker.uuid, worker.name)
    return list(found["reasons"])


async def test_a_worker_says_what_it_does_and_could_do(api: Any, go_worker: Any, jobs: Any) -> None:
    worker, video = await go_worker("alfa").join(), await go_worker(task_types=["ffmpeg"]).join()
    assert await why_worker(api, worker) == ["no task waits that could be started now"]
    await jobs(0, name="shot")
    (ready,) = await why_worker(api, worker)
    assert ready.startswith("it is ready; it takes a task of job 'shot'")
    assert await why_worker(api, video) == [
        "tasks wait of types that it does not run: misc; it runs: ffmpeg"
    ]
    await worker.ask()
    assert await why_worker(api, worker) == ["it is at work on 'echo' of job 'shot'"]
    assert await why_worker(api, video) == ["no task waits that could be started now"]


async def test_a_worker_says_which_job_does_not_want_it(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    bad, _ = await go_worker("bad").join(), await go_worker("good").join()
    job = await jobs(9, name="shot")
    await bad.update((await bad.ask()).json(), taskStatus="completed")
    await bad.update((await bad.ask()).json(), taskStatus="failed")
    for _ in range(2):
        await bad.update((await bad.ask()).json(), taskStatus="failed")
    (reason,) = await why_worker(api, bad)
    assert "on the blocklist of job 'shot' for tasks of type 'misc' because it failed 3" in reason
    tag = (await api.client.post("/api/v3/worker-mgt/tags", json={"name": "gpu"})).json()
    await api.client.post(f"/api/v3/jobs/{job}/settag", json={"id": tag["id"]})
    assert await why_worker(api, bad) == ["tasks wait for workers with another tag: gpu"]


async def test_a_sleeper_says_when_it_is_woken(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    path = f"/api/v3/worker-mgt/workers/{worker.uuid}/sleep-schedule"
    always = {"is_active": True, "days_of_week": "", "start_time": "", "end_time": ""}
    await api.client.post(path, json=always)
    assert await why_worker(api, worker) == ["it is asked to be asleep, and will be when it calls"]
    await worker.post("state-changed", {"status": "asleep"})
    (reason,) = await why_worker(api, worker)
    assert reason.startswith("it is asleep; its sleep schedule wakes it at 20")
    await worker.post("sign-off")
    assert (await why_worker(api, worker))[-1].startswith("it is offline")


async def test_unknown_tasks_and_workers_are_404(api: Any) -> None:
    for path in (f"tasks/{NOWHERE}/why", f"worker-mgt/workers/{NOWHERE}/why"):
        assert (await api.client.get(f"/api/v3/{path}")).status_code == 404
    for path in ("tasks/nonsense/why", "worker-mgt/workers/nonsense/why"):
        assert (await api.client.get(f"/api/v3/{path}")).status_code == 400
