"""Jobs that do not go on by themselves are found, told of and helped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from sqlalchemy import bindparam, update

from flamenco_core.domain.events import JobTasksImpossible, JobUpdated
from flamenco_core.domain.impossible import ImpossibleTasks
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import jobs as job_table
from flamenco_core.manager.store.tables import tasks as task_table
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.testing.fake_clock import FakeClock
from flamenco_core.wire.events import event_body, event_name, subject_of

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)
NOBODY = "no worker runs tasks of type 'misc'; the farm's workers run: blender"


async def check(api: Any, **choice: str) -> dict[str, Any]:
    answer = await api.client.post("/api/v3/jobs/check-stuck", json=choice)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def failed_by_all_who_are_left(api: Any, go_worker: Any, jobs: Any) -> Any:
    """One failed the task, the other that could have tried has left the farm."""
    first, second = await go_worker("alfa").join(), await go_worker("bela").join()
    job = await jobs(2)
    await first.update((await first.ask()).json(), taskStatus="failed")
    await api.client.delete(f"/api/v3/worker-mgt/workers/{second.uuid}")
    return first, job


async def test_a_farm_where_all_goes_well(api: Any, go_worker: Any, jobs: Any) -> None:
    await jobs(3)
    assert await check(api) == {"repaired": [], "impossible": []}
    await go_worker("sleepy").join()
    assert await check(api) == {"repaired": [], "impossible": []}


async def test_a_type_that_nobody_has_is_told_once_and_taken_back(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    await go_worker(task_types=["blender"]).join()
    job = await jobs(3)
    events = api.manager.bus.subscribe()
    for _ in range(2):
        (found,) = (await check(api))["impossible"]
        assert found == {
            "job_id": job,
            "job_name": "echo-sleep-test",
            "task_type": "misc",
            "tasks_count": 1,
            "reason": NOBODY,
            "done": "wait",
        }
    shown = await api.job(job)
    assert shown["status"] == "queued"
    told = "Cannot go on: 1 task of type 'misc' that no worker can run: "
    assert shown["activity"] == told + NOBODY
    await go_worker("new").join()
    assert (await check(api))["impossible"] == []
    assert (await api.job(job))["activity"].startswith("Can go on")
    seen = [(await events.next(1)).event for _ in range(7)]
    assert sum(isinstance(event, JobUpdated) for event in seen) == 2
    came, went = (event for event in seen if isinstance(event, JobTasksImpossible))
    assert event_body(came)["impossible"] == [
        {"task_type": "misc", "tasks_count": 1, "reason": NOBODY, "done": "wait"}
    ]
    assert event_body(went)["impossible"] == []
    assert (event_name(came), subject_of(came)) == ("job", (job, ""))


async def test_a_task_that_all_who_are_left_have_failed(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    _, job = await failed_by_all_who_are_left(api, go_worker, jobs)
    (found,) = (await check(api))["impossible"]
    assert found["tasks_count"] == 1
    assert found["reason"].startswith("it failed on every worker that may run it: alfa")
    assert (await api.job(job))["status"] == "active"


async def test_the_choice_to_let_them_try_again(api: Any, go_worker: Any, jobs: Any) -> None:
    worker, job = await failed_by_all_who_are_left(api, go_worker, jobs)
    assert (await worker.ask()).status_code == 204
    (found,) = (await check(api, impossible_tasks="unblock"))["impossible"]
    assert found["done"] == "unblock"
    assert (await check(api))["impossible"] == []
    task = (await worker.ask()).json()
    assert task["job"] == job
    # It fails again, and now there is nobody else: no endless circle.
    await worker.update(task, taskStatus="failed")
    assert (await api.job(job))["status"] == "failed"


async def test_a_blocklist_that_has_everybody_on_it_is_emptied(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    first, second = await go_worker("alfa").join(), await go_worker("bela").join()
    job = await jobs(9)
    await first.update((await first.ask()).json(), taskStatus="completed")
    for _ in range(3):
        await first.update((await first.ask()).json(), taskStatus="failed")
    await api.client.delete(f"/api/v3/worker-mgt/workers/{second.uuid}")
    (found,) = (await check(api))["impossible"]
    assert (found["tasks_count"], found["done"]) == (9, "wait")
    assert "on the job's blocklist for tasks of type 'misc': alfa" in found["reason"]
    await check(api, impossible_tasks="unblock")
    assert (await api.client.get(f"/api/v3/jobs/{job}/blocklist")).json() == []
    assert (await first.ask()).status_code == 200


async def test_where_it_would_not_help_to_try_again_they_wait(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    await go_worker(task_types=["blender"]).join()
    await jobs(0)
    (found,) = (await check(api, impossible_tasks="unblock"))["impossible"]
    assert found["done"] == "wait"


async def test_the_choice_to_fail_the_job(api: Any, go_worker: Any, jobs: Any) -> None:
    await go_worker(task_types=["blender"]).join()
    job, other = await jobs(3), await jobs(3, initial_status="paused")
    (found,) = (await check(api, impossible_tasks="fail"))["impossible"]
    assert (found["job_id"], found["done"]) == (job, "fail")
    shown = await api.job(job)
    assert shown["status"] == "failed"
    assert NOBODY in shown["activity"]
    assert {task["status"] for task in await api.tasks(job)} == {"canceled"}
    assert (await api.job(other))["status"] == "paused"
    assert (await check(api))["impossible"] == []


async def test_a_tag_that_nobody_has(api: Any, go_worker: Any, jobs: Any) -> None:
    tag = (await api.client.post("/api/v3/worker-mgt/tags", json={"name": "gpu"})).json()
    await go_worker().join()
    await jobs(0, worker_tag=tag["id"])
    (found,) = (await check(api))["impossible"]
    assert "has the job's tag 'gpu'" in found["reason"]


async def test_a_wrong_choice_names_the_right_ones(api: Any) -> None:
    answer = await api.client.post("/api/v3/jobs/check-stuck", json={"impossible_tasks": "pray"})
    assert answer.status_code == 400
    assert "must be one of wait, fail, unblock" in answer.json()["message"]
    assert (await api.client.post("/api/v3/jobs/check-stuck")).status_code == 400


# -- jobs that were caught half way ----------------------------------------------------------

_SET = Query(
    update(job_table)
    .where(job_table.c.uuid == bindparam("job"))
    .values(status=bindparam("to"), wanted=bindparam("wish"))
)
_CANCEL_TASKS = Query(update(task_table).values(status="canceled"))


def catch(tx: Tx, job: str, status: str, wanted: str, *, cancel_tasks: bool = False) -> None:
    """Leave the data as a Manager would that was killed without transactions."""
    tx.run(_SET, job=job, to=status, wish=wanted)
    if cancel_tasks:
        tx.run(_CANCEL_TASKS)


@pytest.mark.parametrize(
    ("status", "wanted", "now", "tasks"),
    [
        ("cancel-requested", "cancel", "canceled", "canceled"),
        ("pause-requested", "pause", "paused", "paused"),
        ("requeueing", "run", "queued", "queued"),
    ],
)
async def test_a_job_that_was_caught_half_way_gets_there(
    api: Any, go_worker: Any, jobs: Any, status: str, wanted: str, now: str, tasks: str
) -> None:
    await go_worker().join()
    job = await jobs(3)
    requeue = status == "requeueing"
    await api.manager.database.write(catch, job, status, wanted, cancel_tasks=requeue)
    (found,) = (await check(api))["repaired"]
    assert found == {
        "job_id": job,
        "name": "echo-sleep-test",
        "previous_status": status,
        "status": now,
    }
    assert (await api.job(job))["status"] == now
    assert {task["status"] for task in await api.tasks(job)} == {tasks}
    assert (await check(api))["repaired"] == []


async def test_a_job_that_waits_for_its_running_task_is_not_stuck(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    worker, job = await go_worker().join(), await jobs(3)
    task = (await worker.ask()).json()
    body = {"status": "pause-requested", "reason": "x"}
    await api.client.post(f"/api/v3/jobs/{job}/setstatus", json=body)
    updated = (await api.job(job))["updated"]
    assert (await check(api))["repaired"] == []
    assert (await api.job(job))["updated"] == updated
    await worker.update(task, taskStatus="completed")
    assert (await api.job(job))["status"] == "paused"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def strict_api(manager: Any, clock: FakeClock, database: str | None) -> AsyncIterator[Any]:
    """A Manager with the rule that such jobs fail."""
    given: dict[str, Any] = {"database": database} if database else {}
    settings = given | {"impossible_tasks": ImpossibleTasks.FAIL}
    async with manager(settings=settings, clock=clock) as running:
        yield running


async def test_the_manager_looks_by_itself_and_does_what_the_settings_say(
    strict_api: Any, clock: FakeClock
) -> None:
    job = await strict_api.submit("echo-sleep-test", {"message": "x", "sleep_repeats": 1})
    body = {"name": "b", "platform": "linux", "secret": "x", "supported_task_types": ["blender"]}
    await strict_api.client.post("/api/v3/worker/register-worker", json=body)
    with anyio.fail_after(20):
        while (await strict_api.job(job))["status"] != "failed":
            await clock.advance(60)
