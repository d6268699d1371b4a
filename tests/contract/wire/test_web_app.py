"""What Flamenco's web app reads and asks for."""

from __future__ import annotations

from typing import Any

import pytest


async def get(api, path: str) -> Any:
    answer = await api.client.get(f"/api/v3/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_its_start(api) -> None:
    assert (await get(api, "configuration"))["isFirstRun"] is False
    assert (await get(api, "status")) == {"status": "inoperative"}
    assert (await get(api, "version"))["name"] == "Flamenco"


async def test_the_farm_status_follows_workers_and_jobs(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    assert (await get(api, "status")) == {"status": "idle"}
    await jobs()
    assert (await get(api, "status")) == {"status": "waiting"}
    await worker.ask()
    assert (await get(api, "status")) == {"status": "active"}


async def test_lists_and_details(api, go_worker, jobs) -> None:
    worker, job = await go_worker("alfa").join(), await jobs(2)
    task = (await worker.ask()).json()
    assert [shown["id"] for shown in (await get(api, "jobs"))["jobs"]] == [job]
    tasks = (await get(api, f"jobs/{job}/tasks"))["tasks"]
    assert [shown["index_in_job"] for shown in tasks] == [1, 2, 3]
    assert tasks[0]["worker"]["name"] == "alfa"
    assert tasks[1]["worker"] == {"id": "", "name": "", "address": ""}
    shown = await get(api, f"tasks/{task['uuid']}")
    assert shown["failed_by_workers"] == []
    assert shown["commands"][0]["parameters"] == {"message": "hi"}
    (listed,) = (await get(api, "worker-mgt/workers"))["workers"]
    assert listed["status"] == "awake"
    assert "status_change" not in listed
    detailed = await get(api, f"worker-mgt/workers/{worker.uuid}")
    assert detailed["task"]["job_id"] == job
    assert "tags" not in detailed


async def test_an_unknown_job_has_no_tasks_and_no_blocklist(api) -> None:
    nowhere = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    assert await get(api, f"jobs/{nowhere}/tasks") == {"tasks": []}
    assert await get(api, f"jobs/{nowhere}/blocklist") == []
    assert (await api.client.get(f"/api/v3/jobs/{nowhere}")).status_code == 404


async def test_logs(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    job = await jobs(0)
    (waiting,) = await api.tasks(job)
    assert (await api.client.get(f"/api/v3/tasks/{waiting['id']}/log")).status_code == 204
    assert (await api.client.get(f"/api/v3/tasks/{waiting['id']}/logtail")).status_code == 204
    task = (await worker.ask()).json()
    await worker.update(task, log="Blender 5.1\nSaved: '/tmp/1.png'")
    tail = await api.client.get(f"/api/v3/tasks/{task['uuid']}/logtail")
    assert tail.headers["content-type"] == "text/plain; charset=UTF-8"
    assert tail.text.endswith("Saved: '/tmp/1.png'\n")
    info = await get(api, f"tasks/{task['uuid']}/log")
    assert info["url"] == f"/job-files/job-{job[:4]}/{job}/task-{task['uuid']}.txt"
    file = await api.client.get(info["url"])
    assert file.headers["content-type"].startswith("text/plain")
    assert len(file.content) == info["size"]


async def test_the_log_says_who_got_the_task_what_is_run_and_at_which_attempt(
    api, go_worker, jobs
) -> None:
    worker = await go_worker().join()
    await jobs(0)
    first = (await worker.ask()).json()
    await worker.post("sign-off", {})
    await worker.join()
    assert (await worker.ask()).json()["uuid"] == first["uuid"]
    lines = (await api.log(first["uuid"])).splitlines()
    given = [line for line in lines if "Task assigned to worker go (" in line]
    assert [line.partition("), ")[2] for line in given] == [
        "platform linux, attempt 1",
        "platform linux, attempt 2",
    ]
    assert f"({worker.uuid})" in given[1]
    assert lines[1] == '    echo {"message": "hi"}'


async def test_a_long_log_is_cut_at_a_line(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs(0)
    task = (await worker.ask()).json()
    lines = "".join(f"line {number:04}\n" for number in range(1000))
    await worker.update(task, log=lines)
    tail = (await api.client.get(f"/api/v3/tasks/{task['uuid']}/logtail")).text
    assert 1900 < len(tail) <= 2048
    assert tail.startswith("line ")
    assert tail.endswith("line 0999\n")


@pytest.mark.parametrize(
    "path",
    [
        "job-0000/1f2c5e74-7c8e-4a51-8c5d-111111111111/last-rendered.jpg",
        "job-0000/1f2c5e74-7c8e-4a51-8c5d-111111111111/task-x%00.txt",
        "job-0000/nonsense/task-1f2c5e74-7c8e-4a51-8c5d-111111111111.txt",
        "job-0000/..%2F..%2Fmanager.sqlite",
        "job-0000/%2e%2e/manager.sqlite",
        "",
    ],
)
async def test_files_that_are_not_there_answer_404(api, path: str) -> None:
    assert (await api.client.get(f"/job-files/{path}")).status_code == 404


async def test_people_pause_requeue_and_reorder(api, jobs) -> None:
    job = await jobs()

    async def change(what: str, body: dict[str, Any]) -> int:
        return (await api.client.post(f"/api/v3/jobs/{job}/{what}", json=body)).status_code

    assert await change("setstatus", {"status": "pause-requested", "reason": "x"}) == 204
    assert (await api.job(job))["status"] == "paused"
    assert await change("setstatus", {"status": "requeueing", "reason": "x"}) == 204
    assert (await api.job(job))["status"] == "queued"
    assert await change("setpriority", {"priority": 90}) == 204
    assert (await api.job(job))["priority"] == 90
    assert await change("setpriority", {"priority": 101}) == 400
    assert await change("setstatus", {"status": "completed", "reason": ""}) == 422
    assert await change("setstatus", {"status": "no-such", "reason": ""}) == 400
    assert await change("setstatus", {"status": "paused"}) == 400


async def test_people_cancel_one_task(api, jobs) -> None:
    job = await jobs(1)
    task = (await api.tasks(job))[0]["id"]
    body = {"status": "canceled", "reason": "not this one"}
    answer = await api.client.post(f"/api/v3/tasks/{task}/setstatus", json=body)
    assert answer.status_code == 204
    shown = await get(api, f"tasks/{task}")
    assert (shown["status"], shown["activity"]) == ("canceled", "not this one")


async def test_workers_are_asked_and_deleted(api, go_worker) -> None:
    worker = await go_worker().join()
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}"
    body = {"status": "restart", "is_lazy": False}
    assert (await api.client.post(f"{url}/setstatus", json=body)).status_code in {412, 422}
    body = {"status": "asleep", "is_lazy": False}
    assert (await api.client.post(f"{url}/setstatus", json=body)).status_code == 204
    assert (await get(api, f"worker-mgt/workers/{worker.uuid}"))["status_change"] == body
    assert (await api.client.delete(url)).status_code == 204
    assert (await api.client.get(url)).status_code == 404
    assert (await api.client.delete(url)).status_code == 404


async def test_a_blocklist_is_shown_and_emptied(api, go_worker, jobs) -> None:
    bad, _ = await go_worker("bad").join(), await go_worker("good").join()
    job = await api.submit(
        "echo-sleep-test", {"message": "x", "sleep_repeats": 9, "sleep_duration_seconds": 1}
    )
    echo = (await bad.ask()).json()
    await bad.update(echo, taskStatus="completed")
    for _ in range(3):
        await bad.update((await bad.ask()).json(), taskStatus="failed")
    url = f"/api/v3/jobs/{job}/blocklist"
    (entry,) = (await api.client.get(url)).json()
    flamencos = {"worker_id": bad.uuid, "worker_name": "bad", "task_type": "misc"}
    assert entry == entry | flamencos
    assert (await bad.ask()).status_code == 204
    assert (await api.client.request("DELETE", url, json=[])).status_code == 400
    assert (await api.client.request("DELETE", url, json=[entry])).status_code == 204
    assert (await api.client.get(url)).json() == []
    assert (await bad.ask()).status_code == 200
