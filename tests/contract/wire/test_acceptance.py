"""The list by which a Manager is known to be compatible, point by point."""

from __future__ import annotations

from typing import Any

import pytest
from wire_conversation import FramesPlugin, give_up, job_of_frames, on_both, wish

from flamenco_core.domain.events import JobStatusChanged

pytestmark = on_both
FAILED = {"taskStatus": "failed", "activity": "Failed: exit code 1"}


@pytest.fixture
def plugins() -> list[object]:
    return [FramesPlugin()]


@pytest.fixture
def more(clock: Any) -> dict[str, Any]:
    return {"clock": clock}


@pytest.fixture
def renderer(go_worker: Any) -> Any:
    async def join(name: str = "go") -> Any:
        return await go_worker(name, task_types=["blender", "ffmpeg"]).join()

    return join


async def ask_job(api: Any, job: str, status: str) -> None:
    body = {"status": status, "reason": "a test"}
    answer = await api.client.post(f"/api/v3/jobs/{job}/setstatus", json=body)
    assert answer.status_code == 204, answer.text


async def task_of(api: Any, task: dict[str, Any]) -> dict[str, Any]:
    return (await api.client.get(f"/api/v3/tasks/{task['uuid']}")).json()


async def statuses(api: Any, job: str) -> list[str]:
    return [task["status"] for task in await api.tasks(job)]


async def test_no_task_is_given_twice(api: Any, renderer: Any) -> None:
    one, other = await renderer("a"), await renderer("b")
    await job_of_frames(api, 3)
    first, second = (await one.ask()).json(), (await other.ask()).json()
    assert first["uuid"] != second["uuid"]
    # A Worker that died in the middle asks again.
    assert (await one.ask()).json()["uuid"] == first["uuid"]
    await one.update(first, taskStatus="completed")
    assert (await one.ask()).json()["uuid"] not in {first["uuid"], second["uuid"]}


async def test_sleep_at_once_takes_the_task_away(api: Any, renderer: Any) -> None:
    worker = await renderer()
    await job_of_frames(api, 1)
    task = (await worker.ask()).json()
    await wish(api, worker, "asleep")
    may = await worker.may_i_run(task)
    assert (may["mayKeepRunning"], may["statusChangeRequested"]) == (False, True)
    assert (await worker.ask()).status_code == 423
    await worker.post("state-changed", {"status": "asleep"})
    assert (await task_of(api, task))["status"] == "queued"


async def test_lazy_sleep_lets_the_task_end(api: Any, renderer: Any) -> None:
    worker = await renderer()
    await job_of_frames(api, 2)
    task = (await worker.ask()).json()
    await wish(api, worker, "asleep", lazy=True)
    assert (await worker.may_i_run(task))["mayKeepRunning"] is True
    assert (await worker.update(task, taskStatus="completed")).status_code == 204
    assert (await worker.ask()).status_code == 423


async def test_the_only_worker_fails_a_task_and_the_job_fails(api: Any, renderer: Any) -> None:
    worker = await renderer()
    job = await job_of_frames(api, 5)
    await worker.update((await worker.ask()).json(), **FAILED)
    assert (await api.job(job))["status"] == "failed"
    assert sorted(await statuses(api, job)) == ["canceled"] * 4 + ["failed"]


async def test_a_worker_that_fails_too_much_is_blocked(api: Any, renderer: Any) -> None:
    bad, *rest = [await renderer(name) for name in "abcd"]
    job = await job_of_frames(api, 20)
    for _ in range(api.manager.settings.blocklist_threshold):
        await bad.update((await bad.ask()).json(), **FAILED)
    assert (await bad.ask()).status_code == 204
    blocked = (await api.client.get(f"/api/v3/jobs/{job}/blocklist")).json()
    assert [(b["worker_id"], b["task_type"]) for b in blocked] == [(bad.uuid, "blender")]
    assert (await rest[0].ask()).status_code == 200


async def test_the_third_worker_to_fail_a_task_fails_it(api: Any, renderer: Any) -> None:
    workers = [await renderer(name) for name in "abcd"]
    job = await job_of_frames(api, 20)
    task = (await workers[0].ask()).json()
    for worker in workers[:3]:
        assert (await worker.ask()).json()["uuid"] == task["uuid"]
        await worker.update(task, **FAILED)
    assert (await task_of(api, task))["status"] == "failed"
    assert (await api.job(job))["status"] == "active"


async def test_cancel_takes_all_tasks_paused_ones_too(api: Any, renderer: Any) -> None:
    worker = await renderer()
    job = await job_of_frames(api, 3)
    task = (await worker.ask()).json()
    last = (await api.tasks(job))[-1]["id"]
    pause = {"status": "paused", "reason": "a test"}
    assert (await api.client.post(f"/api/v3/tasks/{last}/setstatus", json=pause)).is_success
    events = api.manager.bus.subscribe()
    await ask_job(api, job, "cancel-requested")
    heard = []
    async for numbered in events:
        if isinstance(numbered.event, JobStatusChanged):
            heard.append((numbered.event.previous_status, numbered.event.job.status))
        if len(heard) == 2:
            break
    assert heard == [("active", "cancel-requested"), ("cancel-requested", "canceled")]
    assert (await worker.may_i_run(task))["mayKeepRunning"] is False
    assert set(await statuses(api, job)) == {"canceled"}


async def test_pause_lets_the_task_end_and_requeue_goes_on(api: Any, renderer: Any) -> None:
    worker = await renderer()
    job = await job_of_frames(api, 2)
    task = (await worker.ask()).json()
    await ask_job(api, job, "pause-requested")
    assert (await api.job(job))["status"] == "pause-requested"
    assert (await worker.may_i_run(task))["mayKeepRunning"] is True
    await worker.update(task, taskStatus="completed")
    assert (await api.job(job))["status"] == "paused"
    assert (await worker.ask()).status_code == 204
    await ask_job(api, job, "requeueing")
    assert (await statuses(api, job)) == ["completed", "queued"]
    await worker.update((await worker.ask()).json(), taskStatus="completed")
    assert (await api.job(job))["status"] == "completed"


async def test_a_completed_job_is_requeued_whole(api: Any, renderer: Any) -> None:
    worker = await renderer()
    job = await job_of_frames(api, 2, video=True)
    for _ in range(3):
        await worker.update((await worker.ask()).json(), taskStatus="completed")
    await ask_job(api, job, "requeueing")
    assert await statuses(api, job) == ["queued"] * 3
    # The video waits for its frames once more.
    names = [(await worker.ask()).json()["name"]]
    assert names == ["frame-1"]


async def test_a_failed_job_is_requeued_in_part_and_forgets_failures(
    api: Any, renderer: Any
) -> None:
    worker = await renderer()
    job = await job_of_frames(api, 3)
    await worker.update((await worker.ask()).json(), taskStatus="completed")
    task = (await worker.ask()).json()
    await worker.update(task, **FAILED)
    assert (await api.job(job))["status"] == "failed"
    await ask_job(api, job, "requeueing")
    assert await statuses(api, job) == ["completed", "queued", "queued"]
    assert (await task_of(api, task))["failed_by_workers"] == []
    assert (await api.client.get(f"/api/v3/jobs/{job}/blocklist")).json() == []
    assert (await worker.ask()).json()["uuid"] == task["uuid"]


async def test_a_killed_worker_is_given_up_and_heals(api: Any, renderer: Any, clock: Any) -> None:
    worker = await renderer()
    await job_of_frames(api, 1)
    task = (await worker.ask()).json()
    await give_up(api, worker)
    shown = (await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")).json()
    assert shown["status"] == "error"
    assert (await task_of(api, task))["status"] == "queued"
    assert (await task_of(api, task))["failed_by_workers"] == []
    assert (await worker.sign_on()).json() == {"status_requested": "awake"}
    await worker.post("state-changed", {"status": "awake"})
    assert (await worker.ask()).json()["uuid"] == task["uuid"]


async def test_an_old_etag_is_refused_and_none_is_fine(api: Any) -> None:
    body = {"name": "x", "type": "frames", "submitter_platform": "linux", "settings": {}}
    old = await api.client.post("/api/v3/jobs", json={**body, "type_etag": "0" * 40})
    assert old.status_code == 412
    assert (await api.client.post("/api/v3/jobs", json=body)).status_code == 200


async def test_a_job_is_deleted_with_its_logs(api: Any, renderer: Any) -> None:
    worker = await renderer()
    job = await job_of_frames(api, 1)
    task = (await worker.ask()).json()
    await worker.update(task, log="much to say", taskStatus="completed")
    assert api.manager.logs.folder(job).is_dir()
    assert (await api.client.delete(f"/api/v3/jobs/{job}")).status_code == 204
    await api.manager.deletion.delete_marked()
    assert (await api.client.get(f"/api/v3/jobs/{job}")).status_code == 404
    assert not api.manager.logs.folder(job).exists()


async def test_what_the_python_client_cannot_stand_is_not_there(api: Any, renderer: Any) -> None:
    # The judge behind `api` has refused nulls; these it decodes strictly.
    worker = await renderer()
    job = await job_of_frames(api, 1)
    assert (await api.client.get("/api/v3/worker-mgt/tags")).json() == {"tags": []}
    for shown in (await api.job(job), (await worker.ask()).json()):
        numbers = {key: shown[key] for key in ("priority", "steps_total") if key in shown}
        assert all(type(number) is int for number in numbers.values()), numbers
