"""Who may do what, and what a request cannot pretend."""

from __future__ import annotations

import base64

import pytest

WORKER_OPERATIONS = [
    ("POST", "sign-on"),
    ("POST", "sign-off"),
    ("GET", "state"),
    ("POST", "state-changed"),
    ("POST", "task"),
    ("POST", "task/1f2c5e74-7c8e-4a51-8c5d-111111111111"),
    ("GET", "task/1f2c5e74-7c8e-4a51-8c5d-111111111111/may-i-run"),
    ("POST", "task/1f2c5e74-7c8e-4a51-8c5d-111111111111/output-produced"),
]


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


STRANGERS = [
    None,
    "",
    "Basic",
    "Basic Og==",
    "Basic !!!",
    "Basic " + base64.b64encode(b"\xff\xfe").decode(),
    "Bearer abc",
    "Negotiate x",
    basic("ops:secret"),
    basic("1f2c5e74-7c8e-4a51-8c5d-111111111111:x"),
    basic("1f2c5e74-7c8e-4a51-8c5d-11111111111\0:x"),
]


@pytest.mark.parametrize(("method", "path"), WORKER_OPERATIONS)
async def test_workers_only(api, method: str, path: str) -> None:
    for credentials in STRANGERS:
        headers = {} if credentials is None else {"Authorization": credentials}
        answer = await api.client.request(method, f"/api/v3/worker/{path}", headers=headers)
        assert answer.status_code == 403, credentials
        assert answer.json()["message"].startswith("security requirements failed: ")
        assert "www-authenticate" not in answer.headers


async def test_a_wrong_secret_is_never_remembered_as_right(go_worker) -> None:
    worker = await go_worker().join()
    for secret in ("wrong", "", "wrong"):
        answer = await worker.post("task", auth=basic(f"{worker.uuid}:{secret}"))
        assert answer.status_code == 403
        assert (await worker.ask()).status_code == 204


async def test_a_worker_may_be_new_after_it_was_unknown(api, go_worker) -> None:
    worker = go_worker()
    worker.uuid = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    assert (await worker.sign_on()).status_code == 403
    api.manager.new_id = lambda: worker.uuid
    await worker.register()
    assert (await worker.sign_on()).status_code == 200


async def test_ids_are_not_sensitive_to_case(go_worker) -> None:
    worker = await go_worker().join()
    answer = await worker.post("task", auth=basic(f"{worker.uuid.upper()}:{worker.secret}"))
    assert answer.status_code == 204


async def test_a_deleted_worker_is_out_at_once(api, go_worker, jobs) -> None:
    worker = await go_worker().join()
    await jobs()
    task = (await worker.ask()).json()
    assert (await api.client.delete(f"/api/v3/worker-mgt/workers/{worker.uuid}")).status_code == 204
    assert (await worker.ask()).status_code == 403
    assert (await worker.sign_on()).status_code == 403
    assert (await worker.update(task, taskStatus="completed")).status_code == 403


async def test_a_worker_cannot_speak_for_another(api, go_worker, jobs) -> None:
    one, other = await go_worker("one").join(), await go_worker("other").join()
    await jobs(0)
    task = (await one.ask()).json()
    for said in ({"log": "x"}, {"taskStatus": "failed"}, {"epoch": task["epoch"], "seq": 1}):
        assert (await other.update(task, **said)).status_code == 409
    assert (await other.may_i_run(task))["mayKeepRunning"] is False
    shown = (await api.client.get(f"/api/v3/tasks/{task['uuid']}")).json()
    assert shown["status"] == "active"
    assert "x\n" not in await api.log(task["uuid"])


async def test_a_header_says_nothing_about_the_address(api, go_worker) -> None:
    worker = go_worker()
    worker.headers = {"X-Forwarded-For": "10.1.2.3", "X-Real-IP": "10.1.2.3"}
    assert (await worker.register())["address"] == "127.0.0.1"
    await worker.sign_on()
    shown = (await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")).json()
    assert shown["ip_address"] == "127.0.0.1"


async def test_an_old_header_does_not_matter_when_registering(go_worker) -> None:
    worker = go_worker()
    body = {"name": "x", "platform": "linux", "secret": "s", "supported_task_types": []}
    for credentials in (basic("1f2c5e74-7c8e-4a51-8c5d-111111111111:x"), "Basic !!", "Basic Og=="):
        answer = await worker.post("register-worker", body, auth=credentials)
        assert answer.status_code == 200
    body["secret"] = ""
    assert (await worker.post("register-worker", body)).status_code == 400


async def test_the_secret_is_nowhere_to_be_read(api, go_worker) -> None:
    worker = await go_worker().join()
    for path in ("worker-mgt/workers", f"worker-mgt/workers/{worker.uuid}"):
        assert worker.secret not in (await api.client.get(f"/api/v3/{path}")).text


async def test_a_persons_basic_credentials_for_a_proxy_are_ignored(api) -> None:
    headers = {"Authorization": basic("ops:secret")}
    assert (await api.client.get("/api/v3/version", headers=headers)).status_code == 200
