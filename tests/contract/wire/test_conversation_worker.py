"""What Flamenco's own Worker says, in its order, from its first start to its end."""

from __future__ import annotations

from typing import Any

import pytest
from wire_conversation import FramesPlugin, job_of_frames, on_both, wish

pytestmark = on_both
NOTHING = (204, b"")


@pytest.fixture
def plugins() -> list[object]:
    return [FramesPlugin()]


def said(answer: Any) -> tuple[int, bytes]:
    return answer.status_code, answer.content


async def test_a_first_start(api: Any, go_worker: Any) -> None:
    # No credentials yet: it registers, with an empty Basic header, and signs on.
    worker = go_worker("render-01", task_types=["blender", "ffmpeg", "file-management", "misc"])
    registered = await worker.register()
    assert set(registered) >= {"uuid", "name", "address", "platform", "supported_task_types"}
    answer = await worker.sign_on()
    assert (answer.status_code, answer.json()) == (200, {"status_requested": "awake"})
    assert said(await worker.post("state-changed", {"status": "awake"})) == NOTHING
    assert said(await worker.ask()) == NOTHING


async def test_a_start_at_a_manager_that_does_not_know_it(go_worker: Any) -> None:
    worker = go_worker()
    worker.uuid = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    assert (await worker.sign_on()).status_code == 403
    await worker.register()
    assert (await worker.sign_on()).status_code == 200


async def test_a_task_from_start_to_end(api: Any, go_worker: Any) -> None:
    worker = await go_worker(task_types=["blender", "ffmpeg"]).join()
    job = await job_of_frames(api, 1)
    answer = await worker.ask()
    task = answer.json()
    assert "json" in answer.headers["content-type"]
    for key in ("priority", "job_priority", "steps_completed", "steps_total"):
        assert type(task[key]) is int, key
    assert isinstance(task["commands"], list)

    # The "Started" message, the log in chunks, progress, an image, and is it still wanted?
    assert said(await worker.update(task, activity="Started", taskStatus="active")) == NOTHING
    for chunk in ("pid=12 > Fra:1", "pid=12 > Fra:1 | Saved: 'x.png'\npid=12 > Time: 00:01"):
        assert said(await worker.update(task, log=chunk)) == NOTHING
    assert said(await worker.update(task, activity="Progress", steps_completed=1)) == NOTHING
    may = await worker.get(f"task/{task['uuid']}/may-i-run")
    assert may.json() == {"mayKeepRunning": True, "reason": "", "statusChangeRequested": False}
    assert said(await worker.update(task, activity="Completed", taskStatus="completed")) == NOTHING
    assert (await api.job(job))["status"] == "completed"
    log = await api.log(task["uuid"])
    assert "pid=12 > Fra:1\npid=12 > Fra:1 | Saved" in log


async def test_a_failing_task(api: Any, go_worker: Any) -> None:
    worker, other = await go_worker("a", task_types=["blender"]).join(), go_worker("b")
    other.task_types = ["blender"]
    await other.join()
    await job_of_frames(api, 1)
    task = (await worker.ask()).json()
    await worker.update(task, activity="Started", taskStatus="active")
    reason = "Failed: command exited with code 1"
    assert said(await worker.update(task, activity=reason, log=reason, taskStatus="failed")) == (
        NOTHING
    )
    shown = (await api.client.get(f"/api/v3/tasks/{task['uuid']}")).json()
    assert (shown["status"], shown["activity"]) == ("soft-failed", reason)


async def test_updates_from_its_queue_come_late(api: Any, go_worker: Any) -> None:
    # It could not reach the Manager and sends everything at once, in order.
    worker = await go_worker(task_types=["blender"]).join()
    job = await job_of_frames(api, 1)
    task = (await worker.ask()).json()
    for update in (
        {"activity": "Started", "taskStatus": "active"},
        {"log": "all of it"},
        {"activity": "Completed", "taskStatus": "completed"},
    ):
        assert said(await worker.update(task, **update)) == NOTHING
    assert (await api.job(job))["status"] == "completed"


async def test_updates_of_a_task_that_is_somebody_elses_by_now(api: Any, go_worker: Any) -> None:
    worker = await go_worker("a", task_types=["blender"]).join()
    other = await go_worker("b", task_types=["blender"]).join()
    job = await job_of_frames(api, 1)
    task = (await worker.ask()).json()
    await worker.post("sign-off")
    assert (await other.ask()).json()["uuid"] == task["uuid"]
    for update in ({"log": "late"}, {"activity": "Completed", "taskStatus": "completed"}):
        assert (await worker.update(task, **update)).status_code == 409
    assert (await api.job(job))["status"] == "active"


async def test_it_is_sent_to_sleep_and_woken(api: Any, go_worker: Any) -> None:
    worker = await go_worker(task_types=["blender"]).join()
    await wish(api, worker, "asleep")
    answer = await worker.ask()
    assert (answer.status_code, answer.json()) == (423, {"status_requested": "asleep"})
    assert said(await worker.post("state-changed", {"status": "asleep"})) == NOTHING
    assert said(await worker.get("state")) == NOTHING
    await wish(api, worker, "awake")
    answer = await worker.get("state")
    assert (answer.status_code, answer.json()) == (200, {"status_requested": "awake"})
    assert said(await worker.post("state-changed", {"status": "awake"})) == NOTHING
    assert said(await worker.get("state")) == NOTHING


async def test_it_is_restarted(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    restartable = {"name": "go", "supported_task_types": ["misc"], "can_restart": True}
    await worker.post("sign-on", {**restartable, "software_version": "3.9"})
    await worker.post("state-changed", {"status": "awake"})
    await wish(api, worker, "restart")
    assert (await worker.ask()).json() == {"status_requested": "restart"}
    assert said(await worker.post("sign-off")) == NOTHING
    # Back again it works on: the wish is fulfilled.
    answer = await worker.post("sign-on", {**restartable, "software_version": "3.9"})
    assert answer.json() == {"status_requested": "awake"}


async def test_it_stops_in_the_middle_of_a_task(api: Any, go_worker: Any) -> None:
    worker = await go_worker(task_types=["blender"]).join()
    await job_of_frames(api, 1)
    task = (await worker.ask()).json()
    assert said(await worker.post("sign-off")) == NOTHING
    shown = (await api.client.get(f"/api/v3/tasks/{task['uuid']}")).json()
    assert shown["status"] == "queued"
    assert shown["failed_by_workers"] == []
