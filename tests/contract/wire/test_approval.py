"""Workers that wait for a person: they may call, and get nothing."""

from __future__ import annotations

from typing import Any

import pytest
from wire_registration import only, register, workers

BOTH = pytest.mark.parametrize(
    "database", [None, pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
pytestmark = BOTH


@pytest.fixture
def settings() -> dict[str, Any]:
    return only("approval", most_pending=3)


def of(worker: Any, what: str) -> str:
    return f"/api/v3/worker-mgt/workers/{worker.uuid}/{what}"


async def test_it_sleeps_until_it_is_approved_and_wakes_then(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    await jobs(0)
    worker = go_worker("alfa")
    await worker.register()
    signed_on = (await worker.sign_on()).json()
    assert signed_on == {"status_requested": "asleep", "pending_approval": True}
    assert (await worker.post("state-changed", {"status": "asleep"})).status_code == 204
    assert (await worker.get("state")).status_code == 204
    assert (await workers(api))["alfa"]["pending_approval"] is True
    assert (await api.client.post(of(worker, "approve"), json={})).status_code == 204
    assert (await worker.get("state")).json() == {"status_requested": "awake"}
    assert (await worker.post("state-changed", {"status": "awake"})).status_code == 204
    assert (await worker.ask()).status_code == 200
    assert "pending_approval" not in (await workers(api))["alfa"]


async def test_it_gets_no_task_and_sees_no_job(api: Any, go_worker: Any, jobs: Any) -> None:
    job = await jobs(0)
    (task,) = await api.tasks(job)
    worker = go_worker()
    await worker.register()
    await worker.sign_on()
    assert (await worker.post("state-changed", {"status": "awake"})).status_code == 403
    assert (await worker.ask()).status_code == 403
    assert (await worker.update({"uuid": task["id"]}, log="x")).status_code == 403
    assert (await worker.get(f"task/{task['id']}/may-i-run")).status_code == 403
    headers = {"Authorization": worker.auth}
    for path in ("jobs", f"jobs/{job}", f"tasks/{task['id']}", "events", "worker-mgt/workers"):
        answer = await api.client.get(f"/api/v3/{path}", headers=headers)
        assert answer.status_code == 403, path
        assert "flamenco workers approve" in answer.json()["message"]
    # What it may see is what an unmodified Worker asks for before anything else.
    assert (await api.client.get("/api/v3/version", headers=headers)).status_code == 200


async def test_nobody_wakes_it_but_by_approving(api: Any, go_worker: Any) -> None:
    worker = go_worker("alfa")
    await worker.register()
    await worker.sign_on()
    body = {"status": "awake", "is_lazy": False}
    answer = await api.client.post(of(worker, "setstatus"), json=body)
    assert answer.status_code == 422
    assert "worker alfa waits for approval" in answer.json()["message"]
    why = (await api.client.get(of(worker, "why"))).json()
    assert why["reasons"] == ["nobody has approved it yet; see 'flamenco workers approve'"]


async def test_a_sleep_schedule_does_not_wake_it_either(api: Any, go_worker: Any) -> None:
    worker = go_worker()
    await worker.register()
    await worker.sign_on()
    await worker.post("state-changed", {"status": "asleep"})
    body = {"is_active": True, "days_of_week": "", "start_time": "", "end_time": "00:01"}
    await api.client.post(of(worker, "sleep-schedule"), json=body)
    assert (await worker.get("state")).status_code == 204


async def test_one_that_is_approved_while_it_is_off_starts_awake(api: Any, go_worker: Any) -> None:
    worker = go_worker()
    await worker.register()
    await worker.sign_on()
    await worker.post("state-changed", {"status": "asleep"})
    await worker.post("sign-off")
    await api.client.post(of(worker, "approve"), json={})
    assert (await worker.sign_on()).json() == {"status_requested": "awake"}


async def test_it_gets_a_tag_with_its_approval(api: Any, go_worker: Any) -> None:
    tag = {"name": "gpu", "id": "1f2c5e74-7c8e-4a51-8c5d-222222222222"}
    await api.client.post("/api/v3/worker-mgt/tags", json=tag)
    worker = go_worker()
    await worker.register()
    answer = await api.client.post(of(worker, "approve"), json={"tag": "cpu"})
    assert answer.status_code == 404
    assert (await workers(api))["go"]["pending_approval"]
    await api.client.post(of(worker, "approve"), json={"tag": "gpu"})
    shown = (await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")).json()
    assert [tag["name"] for tag in shown["tags"]] == ["gpu"]


async def test_a_rejected_one_is_out_at_once(api: Any, go_worker: Any) -> None:
    worker = go_worker()
    await worker.register()
    await worker.sign_on()
    assert (await api.client.post(of(worker, "reject"))).status_code == 204
    assert (await worker.get("state")).status_code == 403
    assert (await api.client.post(of(worker, "approve"), json={})).status_code == 404


async def test_one_that_is_in_is_not_rejected_and_may_be_approved_again(
    api: Any, go_worker: Any
) -> None:
    worker = await go_worker("alfa").join()
    await api.client.post(of(worker, "approve"), json={})
    answer = await api.client.post(of(worker, "reject"))
    assert answer.status_code == 409
    assert "worker alfa does not wait for approval" in answer.json()["message"]
    assert (await api.client.post(of(worker, "approve"), json={})).status_code == 204


async def test_so_many_may_wait_and_no_more(api: Any) -> None:
    for number in range(3):
        assert (await register(api.client, name=f"w{number}")).status_code == 200
    answer = await register(api.client, name="w3")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "3 Workers wait for approval already" in answer.json()["message"]
    assert len(await workers(api)) == 3


async def test_what_waits_is_not_counted_on(api: Any, go_worker: Any, jobs: Any) -> None:
    job = await jobs(0)
    worker = go_worker()
    await worker.register()
    await worker.sign_on()
    (reason,) = (await api.client.get(f"/api/v3/jobs/{job}/why")).json()["reasons"]
    assert reason["reason"] == "no worker has registered yet; start one"
