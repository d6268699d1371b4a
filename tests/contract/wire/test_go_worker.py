"""The conversation of Flamenco's own Worker; the main course on both databases."""

from __future__ import annotations

import pytest

on_both = pytest.mark.parametrize(
    "database",
    [pytest.param(None, id="sqlite"), pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
)


@on_both
async def test_a_worker_registers_works_and_goes(api, go_worker, jobs) -> None:
    worker = go_worker("render-01")
    registered = await worker.register()
    assert registered["name"] == "render-01"
    assert registered["status"] == "offline"
    assert registered["software"] == ""

    answer = await worker.sign_on()
    assert answer.json() == {"status_requested": "awake"}
    assert (await worker.ask()).status_code == 409
    assert (await worker.post("state-changed", {"status": "awake"})).status_code == 204
    assert (await worker.ask()).status_code == 204

    job = await jobs(1)
    task = (await worker.ask()).json()
    assert task["job"] == job
    assert task["status"] == "active"
    assert task["commands"][0]["name"] == "echo"
    assert (await worker.update(task, activity="Started", taskStatus="active")).status_code == 204
    assert (await worker.update(task, log="first line")).status_code == 204
    assert (await worker.update(task, activity="Progress", steps_completed=1)).status_code == 204
    assert await worker.may_i_run(task) == {
        "mayKeepRunning": True,
        "reason": "",
        "statusChangeRequested": False,
    }
    done = await worker.update(task, activity="Completed", taskStatus="completed")
    assert done.status_code == 204
    assert (await worker.may_i_run(task))["mayKeepRunning"] is False

    sleep = (await worker.ask()).json()
    assert sleep["name"] == "sleep"
    await worker.update(sleep, taskStatus="completed")
    assert (await api.job(job))["status"] == "completed"
    assert "first line\n" in await api.log(task["uuid"])

    assert (await worker.post("sign-off")).status_code == 204
    shown = (await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")).json()
    assert shown["status"] == "offline"


@on_both
async def test_a_task_that_was_taken_away_answers_409(api, go_worker, jobs) -> None:
    worker, job = await go_worker().join(), await jobs(0)
    task = (await worker.ask()).json()
    await worker.update(task, taskStatus="active")
    changed = {"status": "cancel-requested", "reason": "wrong shot"}
    assert (await api.client.post(f"/api/v3/jobs/{job}/setstatus", json=changed)).status_code == 204
    assert (await worker.may_i_run(task))["mayKeepRunning"] is False
    assert (await worker.update(task, taskStatus="completed")).status_code == 409
    assert (await worker.update(task, log="late")).status_code == 409
    assert (await api.job(job))["status"] == "canceled"


async def test_a_worker_that_asks_again_gets_the_same_task(go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs(3)
    first = (await worker.ask()).json()
    assert (await worker.ask()).json()["uuid"] == first["uuid"]


async def test_a_worker_with_a_wish_pending_gets_423(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs()
    wish = {"status": "asleep", "is_lazy": True}
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}/setstatus"
    assert (await api.client.post(url, json=wish)).status_code == 204
    answer = await worker.ask()
    assert (answer.status_code, answer.json()) == (423, {"status_requested": "asleep"})
    assert (await worker.get("state")).json() == {"status_requested": "asleep"}
    await worker.post("state-changed", {"status": "asleep"})
    assert (await worker.get("state")).status_code == 204


async def test_a_wish_at_once_stops_the_running_task(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs()
    task = (await worker.ask()).json()
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}/setstatus"
    await api.client.post(url, json={"status": "offline", "is_lazy": False})
    answer = await worker.may_i_run(task)
    assert answer["mayKeepRunning"] is False
    assert answer["statusChangeRequested"] is True
    await worker.post("sign-off")
    shown = (await api.client.get(f"/api/v3/tasks/{task['uuid']}")).json()
    assert shown["status"] == "queued"


@on_both
async def test_a_failure_is_tried_by_another_worker_first(api, go_worker, jobs) -> None:
    first, second = await go_worker("a").join(), await go_worker("b").join()
    job = await jobs(0)
    task = (await first.ask()).json()
    answer = await first.update(
        task, taskStatus="failed", activity="Failed: exit code 1", log="Failed: exit code 1"
    )
    assert answer.status_code == 204
    shown = (await api.client.get(f"/api/v3/tasks/{task['uuid']}")).json()
    assert shown["status"] == "soft-failed"
    assert [w["id"] for w in shown["failed_by_workers"]] == [first.uuid]
    assert (await first.ask()).status_code == 204
    again = (await second.ask()).json()
    assert again["uuid"] == task["uuid"]
    await second.update(again, taskStatus="completed")
    assert (await api.job(job))["status"] == "completed"


async def test_an_old_worker_with_a_wiped_manager_registers_anew(go_worker) -> None:
    worker = go_worker()
    worker.uuid = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    answer = await worker.sign_on()
    assert answer.status_code == 403
    assert "security requirements failed" in answer.json()["message"]
    await worker.join()


async def test_unknown_tasks(go_worker) -> None:
    worker = await go_worker().join()
    nobody = {"uuid": "1f2c5e74-7c8e-4a51-8c5d-111111111111"}
    assert (await worker.update(nobody, taskStatus="active")).status_code == 404
    assert (await worker.may_i_run(nobody))["mayKeepRunning"] is False
    assert (await worker.update({"uuid": "nonsense"}, taskStatus="active")).status_code == 400
    assert (await worker.get("task/nonsense/may-i-run")).status_code == 400


async def test_a_worker_cannot_say_soft_failed(go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs()
    task = (await worker.ask()).json()
    assert (await worker.update(task, taskStatus="soft-failed")).status_code == 400


async def test_task_types_are_cleaned(api, go_worker) -> None:
    worker = go_worker(task_types=[" Misc ", "blender", "misc", ""])
    await worker.join()
    shown = (await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")).json()
    assert shown["supported_task_types"] == ["misc", "blender"]
