"""A machine that is on the farm twice becomes one again; and what a Worker sees."""

from __future__ import annotations

from typing import Any

import pytest
from wire_registration import workers

from flamenco_core.offers.variable import Variable, VariableValue

BOTH = pytest.mark.parametrize(
    "database", [None, pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
pytestmark = BOTH
TAG = {"name": "gpu", "id": "1f2c5e74-7c8e-4a51-8c5d-222222222222"}
OTHER = {"name": "big", "id": "1f2c5e74-7c8e-4a51-8c5d-333333333333"}


@pytest.fixture
def settings() -> dict[str, Any]:
    shared = tuple(
        VariableValue(value=v, platform=p) for p, v in (("linux", "/mnt"), ("windows", "M:/"))
    )
    far = (VariableValue(value="no", platform="darwin"),)
    variables = (
        Variable(name="media", values=shared, is_twoway=True),
        Variable(name="far", values=far),
        Variable(name="tool", values=(VariableValue(value="{media}/tool", platform="all"),)),
    )
    return {"variables": variables}


def of(worker: Any, what: str = "") -> str:
    return f"/api/v3/worker-mgt/workers/{worker.uuid}{what}"


async def merge(api: Any, old: Any, new: Any) -> Any:
    return await api.client.post(of(new, "/merge"), json={"old_worker_id": old.uuid})


async def test_a_machine_that_comes_back_under_another_id_is_recognized(
    api: Any, go_worker: Any
) -> None:
    old = await go_worker("alfa").join()
    new = await go_worker("Alfa").join()
    # Two that are at work at the same time are two, whatever their names.
    assert "may_be_again" not in (await workers(api))["Alfa"]
    await old.post("sign-off")
    assert (await workers(api))["Alfa"]["may_be_again"] == [old.uuid]
    assert (await api.client.get(of(new))).json()["may_be_again"] == [old.uuid]
    assert "may_be_again" not in (await workers(api))["alfa"]


async def test_all_of_the_old_one_passes_to_the_new_one(
    api: Any, go_worker: Any, jobs: Any, schedule: Any
) -> None:
    old, new = await go_worker("alfa").join(), await go_worker("alfa").join()
    for tag in (TAG, OTHER):
        await api.client.post("/api/v3/worker-mgt/tags", json=tag)
    await api.client.post(of(old, "/settags"), json={"tag_ids": [TAG["id"], OTHER["id"]]})
    await api.client.post(of(new, "/settags"), json={"tag_ids": [OTHER["id"]]})
    hours = {"is_active": True, "days_of_week": "mo", "start_time": "01:00", "end_time": "02:00"}
    await schedule(old, hours)
    job = await jobs(0)
    task = (await old.ask()).json()
    await old.update(task, taskStatus="completed")
    await old.post("sign-off")
    assert (await merge(api, old, new)).status_code == 204
    shown = (await api.client.get(of(new))).json()
    assert {tag["name"] for tag in shown["tags"]} == {"gpu", "big"}
    assert shown["task"]["id"] == task["uuid"]
    assert "may_be_again" not in shown
    asked = (await api.client.get(of(new, "/sleep-schedule"))).json()
    assert asked["days_of_week"] == "mo"
    (done,) = await api.tasks(job)
    assert done["worker"]["id"] == new.uuid
    assert (await api.client.get(of(old))).status_code == 404
    assert (await old.sign_on()).status_code == 403


async def test_blocklists_and_failures_pass_too_and_no_row_is_in_the_way(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    old, new = await go_worker("alfa").join(), await go_worker("alfa").join()
    third = await go_worker("third").join()
    assert third.uuid
    job = await jobs(0)
    # Both have failed the same task.
    for worker in (old, new):
        task = (await worker.ask()).json()
        await worker.update(task, taskStatus="failed")
    (failed,) = await api.tasks(job)
    await old.post("sign-off")
    assert (await merge(api, old, new)).status_code == 204
    task = (await api.client.get(f"/api/v3/tasks/{failed['id']}")).json()
    assert new.uuid in [worker["id"] for worker in task["failed_by_workers"]]
    assert (await new.ask()).status_code == 204


async def test_a_schedule_of_its_own_stays(api: Any, go_worker: Any, schedule: Any) -> None:
    old, new = await go_worker("alfa").join(), await go_worker("alfa").join()
    hours = {"is_active": True, "start_time": "01:00", "end_time": "02:00"}
    await schedule(old, {**hours, "days_of_week": "mo"})
    await schedule(new, {**hours, "days_of_week": "tu"})
    await old.post("sign-off")
    await merge(api, old, new)
    assert (await api.client.get(of(new, "/sleep-schedule"))).json()["days_of_week"] == "tu"


async def test_one_that_may_be_at_work_is_left_alone(api: Any, go_worker: Any) -> None:
    old, new = await go_worker("alfa").join(), await go_worker("beta").join()
    answer = await merge(api, old, new)
    assert answer.status_code == 409
    assert f"worker alfa ({old.uuid}) is awake; only one" in answer.json()["message"]
    assert (await old.ask()).status_code == 204


async def test_wrong_names_are_refused(api: Any, go_worker: Any) -> None:
    worker = await go_worker("alfa").join()
    nobody = go_worker("nobody")
    nobody.uuid = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    assert (await merge(api, worker, worker)).status_code == 400
    assert (await merge(api, nobody, worker)).status_code == 404
    assert (await merge(api, worker, nobody)).status_code == 404
    answer = await api.client.post(of(worker, "/merge"), json={"old_worker_id": "alfa"})
    assert answer.status_code == 400


async def test_a_sleeping_one_gives_its_task_back(api: Any, go_worker: Any, jobs: Any) -> None:
    old = await go_worker("alfa").join()
    job = await jobs(0)
    await old.ask()
    await old.post("state-changed", {"status": "asleep"})
    new = await go_worker("alfa").join()
    assert (await merge(api, old, new)).status_code == 204
    assert (await new.ask()).status_code == 200
    assert (await api.job(job))["status"] == "active"


# -- what a Worker sees ------------------------------------------------------------------------


async def test_people_see_what_a_worker_would_see(api: Any, go_worker: Any) -> None:
    worker = go_worker()
    answer = await api.client.post(
        "/api/v3/worker/register-worker",
        json={
            "name": "w",
            "platform": "windows",
            "secret": "s" * 64,
            "supported_task_types": [],
        },
    )
    worker.uuid = answer.json()["uuid"]
    seen = (await api.client.get(of(worker, "/variables"))).json()
    values = {one["name"]: one.get("value") for one in seen["variables"]}
    assert seen["platform"] == "windows"
    assert values["media"] == "M:"
    assert values["far"] is None
    assert "text" not in seen
    text = "{media}/shot and {far} {unknown}"
    shown = await api.client.get(of(worker, "/variables"), params={"text": text})
    assert shown.json()["text"] == r"M:\shot and {far} {unknown}"
    shown = await api.client.get(of(worker, "/variables"), params={"text": "/mnt/a/b"})
    assert shown.json()["text"] == r"M:\a\b"


async def test_a_wrong_question_about_variables_is_refused(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    assert (await api.client.get(of(worker, "/variables?text=" + "x" * 4097))).status_code == 400
    worker.uuid = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    assert (await api.client.get(of(worker, "/variables"))).status_code == 404
