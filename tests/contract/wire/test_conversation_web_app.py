"""What Flamenco's web app asks, page by page, with the requests that it really sends."""

from __future__ import annotations

from typing import Any

import pytest
from wire_conversation import FramesPlugin, job_of_frames, on_both, wish

pytestmark = on_both
NOTHING = (204, b"")


@pytest.fixture
def plugins() -> list[object]:
    return [FramesPlugin()]


@pytest.fixture
def renderer(go_worker: Any) -> Any:
    return go_worker("alfa", task_types=["blender"])


async def get(api: Any, path: str) -> Any:
    answer = await api.client.get(f"/api/v3/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def send(api: Any, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    answer = await api.client.request(method, f"/api/v3/{path}", json=body)
    return answer.status_code, answer.content


async def test_its_start(api: Any) -> None:
    assert (await get(api, "configuration"))["isFirstRun"] is False
    assert {"name", "version"} <= (await get(api, "version")).keys()
    assert (await get(api, "status"))["status"] == "inoperative"


async def test_the_page_of_jobs(api: Any, renderer: Any) -> None:
    worker, job = await renderer.join(), await job_of_frames(api, 2)
    (listed,) = (await get(api, "jobs"))["jobs"]
    assert listed["id"] == job
    shown = await get(api, f"jobs/{job}")
    job_type = await get(api, f"jobs/type/{shown['type']}")
    assert {setting["key"] for setting in job_type["settings"]} >= shown["settings"].keys()
    assert await get(api, f"jobs/{job}/blocklist") == []
    tasks = (await get(api, f"jobs/{job}/tasks"))["tasks"]
    assert [task["name"] for task in tasks] == ["frame-1", "frame-2"]
    assert await send(api, "GET", f"jobs/{job}/last-rendered") == NOTHING
    assert await send(api, "GET", "jobs/last-rendered") == NOTHING

    task = (await worker.ask()).json()
    await worker.update(task, log="Fra:1", activity="rendering")
    detailed = await get(api, f"tasks/{task['uuid']}")
    assert (detailed["worker"]["id"], detailed["failed_by_workers"]) == (worker.uuid, [])
    assert "Fra:1" in (await api.client.get(f"/api/v3/tasks/{task['uuid']}/logtail")).text
    info = await get(api, f"tasks/{task['uuid']}/log")
    assert "Fra:1" in (await api.client.get(info["url"])).text


async def test_what_people_do_to_jobs_and_tasks(api: Any, renderer: Any) -> None:
    await renderer.join()
    job = await job_of_frames(api, 2)
    task = (await api.tasks(job))[0]["id"]
    assert await send(api, "POST", f"jobs/{job}/setpriority", {"priority": 70}) == NOTHING
    cancel = {"status": "canceled", "reason": "Cancelled from the web interface"}
    assert await send(api, "POST", f"tasks/{task}/setstatus", cancel) == NOTHING
    for status, then in (("pause-requested", "paused"), ("requeueing", "queued")):
        body = {"status": status, "reason": "from the web interface"}
        assert await send(api, "POST", f"jobs/{job}/setstatus", body) == NOTHING
        shown = await get(api, f"jobs/{job}")
        assert (shown["status"], shown["priority"]) == (then, 70)
    assert (await get(api, f"jobs/{job}/what-would-delete-do"))["shaman_checkout"] is False
    assert await send(api, "DELETE", f"jobs/{job}") == NOTHING
    await api.manager.deletion.delete_marked()
    assert (await get(api, "jobs"))["jobs"] == []


async def test_a_change_that_cannot_be_is_explained(api: Any) -> None:
    job = await job_of_frames(api, 1)
    body = {"status": "completed", "reason": "I say so"}
    answer = await api.client.post(f"/api/v3/jobs/{job}/setstatus", json=body)
    assert answer.status_code == 422
    assert "possible" in answer.json()["message"]


async def test_the_page_of_workers(api: Any, renderer: Any) -> None:
    worker = await renderer.join()
    path = f"worker-mgt/workers/{worker.uuid}"
    (listed,) = (await get(api, "worker-mgt/workers"))["workers"]
    assert (listed["id"], listed["status"]) == (worker.uuid, "awake")
    assert await send(api, "GET", f"{path}/sleep-schedule") == NOTHING
    await wish(api, worker, "asleep", lazy=True)
    change = (await get(api, path))["status_change"]
    assert change == {"status": "asleep", "is_lazy": True}
    schedule = {
        "is_active": False,
        "days_of_week": "mo tu",
        "start_time": "09:00",
        "end_time": "18:00",
    }
    assert await send(api, "POST", f"{path}/sleep-schedule", schedule) == NOTHING
    stored = await get(api, f"{path}/sleep-schedule")
    assert {key: stored[key] for key in schedule} == schedule
    assert await send(api, "DELETE", path) == NOTHING
    assert (await get(api, "worker-mgt/workers"))["workers"] == []


async def test_the_tags_of_workers(api: Any, renderer: Any) -> None:
    worker = await renderer.join()
    tag = await api.client.post("/api/v3/worker-mgt/tags", json={"name": "gpu", "description": ""})
    id = tag.json()["id"]
    path = f"worker-mgt/workers/{worker.uuid}"
    assert await send(api, "POST", f"{path}/settags", {"tag_ids": [id]}) == NOTHING
    assert [shown["name"] for shown in (await get(api, path))["tags"]] == ["gpu"]
    renamed = {"id": id, "name": "cuda", "description": "fast"}
    assert await send(api, "PUT", f"worker-mgt/tag/{id}", renamed) == NOTHING
    assert (await get(api, f"worker-mgt/tag/{id}"))["name"] == "cuda"
    assert await send(api, "DELETE", f"worker-mgt/tag/{id}") == NOTHING
    assert await get(api, "worker-mgt/tags") == {"tags": []}


async def test_the_page_of_settings(api: Any, tmp_path: Any) -> None:
    found = await get(api, "configuration/file")
    assert {"shared_storage_path", "worker_timeout", "variables"} <= found.keys()
    checked = await api.client.post(
        "/api/v3/configuration/check/shared-storage", json={"path": str(tmp_path)}
    )
    assert checked.json()["is_usable"] is True
    nowhere = await api.client.post(
        "/api/v3/configuration/check/blender", json={"path": str(tmp_path / "none")}
    )
    assert (nowhere.status_code, nowhere.json()["is_usable"]) == (200, False)


async def test_a_blocklist_is_emptied(api: Any, renderer: Any, go_worker: Any) -> None:
    worker, _ = await renderer.join(), await go_worker("bo", task_types=["blender"]).join()
    job = await job_of_frames(api, 20)
    for _ in range(api.manager.settings.blocklist_threshold):
        task = (await worker.ask()).json()
        await worker.update(task, taskStatus="failed", activity="Failed")
    (entry,) = await get(api, f"jobs/{job}/blocklist")
    assert entry["worker_name"] == "alfa"
    gone = {"worker_id": entry["worker_id"], "task_type": entry["task_type"]}
    assert await send(api, "DELETE", f"jobs/{job}/blocklist", [gone]) == NOTHING
    assert await get(api, f"jobs/{job}/blocklist") == []
