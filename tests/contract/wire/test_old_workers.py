"""Workers that are lost, gone for long, and back again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from wire_conversation import give_up

from flamenco_core.domain.events import WorkerDeleted, WorkerRemovalAnnounced
from flamenco_core.testing.fake_clock import FakeClock
from flamenco_core.wire.events import event_body, event_name

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
DAY = 24 * 3600 * 1_000_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def days() -> int:
    return 30


@pytest.fixture
async def api(
    manager: Any, judge: Any, clock: FakeClock, database: str | None, days: int
) -> AsyncIterator[Any]:
    given: dict[str, Any] = {"database": database} if database else {}
    settings = given | {"remove_workers_after": days}
    async with manager(settings=settings, clock=clock) as running:
        running.client.event_hooks["response"].append(judge)
        yield running


@pytest.fixture
def later(api: Any, clock: FakeClock) -> Any:
    """Let days pass on the wall, and look after workers."""

    async def pass_by(days: float) -> None:
        await api.manager.save_seen()
        clock._now += round(days * DAY)
        await api.manager.old_workers.look()

    return pass_by


@pytest.fixture
def told(api: Any) -> Any:
    """Say what people were told since the last time."""
    events = api.manager.bus.subscribe()

    async def since() -> list[Any]:
        found = []
        while not events._queue.empty():
            found.append((await events.next(1)).event)
        kinds = (WorkerRemovalAnnounced, WorkerDeleted)
        return [event for event in found if isinstance(event, kinds)]

    return since


async def status(api: Any, worker: Any) -> str:
    answer = await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")
    return answer.json()["status"] if answer.status_code == 200 else str(answer.status_code)


# -- removed after long ----------------------------------------------------------------------


async def test_one_that_is_offline_for_long_goes_a_day_after_people_were_told(
    api: Any, go_worker: Any, jobs: Any, later: Any, told: Any
) -> None:
    worker = await go_worker("old").join()
    job = await jobs(0)
    await worker.update((await worker.ask()).json(), taskStatus="completed")
    await worker.post("sign-off")
    await later(28.9)
    assert await told() == []
    await later(0.2)
    (notice,) = await told()
    assert (notice.worker.name, notice.removal_at) == ("old", api.manager.clock.now() + DAY)
    assert event_name(notice) == "worker"
    assert event_body(notice)["removal_at"].startswith("2026-05-01T")
    await later(0.9)
    assert await status(api, worker) == "offline"
    assert await told() == []
    await later(0.2)
    assert await status(api, worker) == "404"
    assert [type(event) for event in await told()] == [WorkerDeleted]
    # What it has done is still there.
    (task,) = await api.tasks(job)
    assert (task["status"], task["worker"]["id"]) == ("completed", worker.uuid)
    (removed,) = (await api.client.get("/api/v3/worker-mgt/removed-workers")).json()["workers"]
    assert (removed["id"], removed["name"]) == (worker.uuid, "old")
    assert removed["last_seen"].startswith("2026-04-01T10:00")


async def test_those_that_work_or_sleep_or_call_in_between_stay(
    api: Any, go_worker: Any, later: Any, told: Any
) -> None:
    awake, back = await go_worker("awake").join(), await go_worker("back").join()
    await back.post("sign-off")
    await later(29)
    assert [notice.worker.name for notice in await told()] == ["back"]
    await back.sign_on()
    await back.post("sign-off")
    await later(2)
    assert await told() == []
    assert (await status(api, awake), await status(api, back)) == ("awake", "offline")
    # The thirty days begin anew, and so does the notice.
    await later(27)
    assert [notice.worker.name for notice in await told()] == ["back"]


async def test_one_that_registered_and_never_came_goes_as_well(
    api: Any, go_worker: Any, later: Any
) -> None:
    worker = go_worker("never")
    await worker.register()
    await later(29)
    await later(1)
    assert await status(api, worker) == "404"


@pytest.mark.parametrize("days", [0])
async def test_by_default_nobody_is_removed(
    api: Any, go_worker: Any, later: Any, told: Any
) -> None:
    worker = await go_worker().join()
    await worker.post("sign-off")
    await later(4000)
    await later(1)
    assert await told() == []
    assert await status(api, worker) == "offline"


async def test_a_clock_that_was_wrong_for_a_while_removes_nobody(
    api: Any, go_worker: Any, later: Any, told: Any
) -> None:
    worker = await go_worker().join()
    await worker.post("sign-off")
    await later(365)
    await later(-365)
    await later(5)
    assert await status(api, worker) == "offline"
    assert len(await told()) == 1


async def test_a_removed_worker_signs_on_and_is_back_as_it_was(
    api: Any, go_worker: Any, later: Any
) -> None:
    worker = await go_worker("old").join()
    tag = (await api.client.post("/api/v3/worker-mgt/tags", json={"name": "gpu"})).json()
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}"
    await api.client.post(f"{url}/settags", json={"tag_ids": [tag["id"]]})
    await worker.post("sign-off")
    await later(29)
    await later(1)
    assert await status(api, worker) == "404"
    secret, worker.secret = worker.secret, "6" * 64
    assert (await worker.sign_on()).status_code == 403
    assert await status(api, worker) == "404"
    worker.secret = secret
    assert (await worker.sign_on()).json() == {"status_requested": "awake"}
    assert await status(api, worker) == "starting"
    assert (await api.client.get(url)).json()["tags"] == [tag]
    assert (await api.client.get("/api/v3/worker-mgt/removed-workers")).json() == {"workers": []}
    await later(1)
    assert await status(api, worker) == "starting"


async def test_a_machine_that_was_switched_off_and_goes_on_is_back(
    api: Any, go_worker: Any, jobs: Any, later: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await give_up(api, worker)
    await later(29)
    await later(1)
    assert await status(api, worker) == "404"
    await jobs(0)
    assert (await worker.ask()).status_code == 200
    assert await status(api, worker) == "awake"


async def test_people_bring_one_back_and_it_stays_its_time(
    api: Any, go_worker: Any, later: Any, told: Any
) -> None:
    worker = await go_worker().join()
    await worker.post("sign-off")
    await later(29)
    await later(1)
    restore = f"/api/v3/worker-mgt/workers/{worker.uuid}/restore"
    for _ in range(2):
        assert (await api.client.post(restore)).status_code == 204
    assert await status(api, worker) == "offline"
    await told()
    await later(28)
    assert await told() == []
    await later(1)
    assert len(await told()) == 1


async def test_one_that_people_deleted_comes_back_by_people_only(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}"
    assert (await api.client.delete(url)).status_code == 204
    assert (await worker.sign_on()).status_code == 403
    assert (await api.client.post(f"{url}/restore")).status_code == 204
    assert (await worker.sign_on()).status_code == 200
    nowhere = f"/api/v3/worker-mgt/workers/{NOWHERE}/restore"
    assert (await api.client.post(nowhere)).status_code == 404
    assert (await api.client.post(nowhere.replace(NOWHERE, "x"))).status_code == 400


async def test_the_manager_looks_by_itself(
    api: Any, go_worker: Any, clock: FakeClock, told: Any
) -> None:
    await go_worker("old").register()
    clock._now += 40 * DAY
    with anyio.fail_after(20):
        while not await told():
            # Again and again: the pause of 600 s begins when the first look is over.
            clock.set(clock.monotonic() + 600)
            await clock.advance(0.01)


# -- lost, and back at the next sign of life -------------------------------------------------


async def test_a_lost_worker_that_asks_for_work_is_awake(
    api: Any, go_worker: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await give_up(api, worker)
    assert await status(api, worker) == "error"
    assert (await worker.ask()).status_code == 204
    assert await status(api, worker) == "awake"


async def test_a_lost_sleeper_that_asks_for_its_state_is_asleep(
    api: Any, go_worker: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await worker.post("state-changed", {"status": "asleep"})
    await give_up(api, worker)
    assert await status(api, worker) == "error"
    assert (await worker.get("state")).status_code == 204
    assert await status(api, worker) == "asleep"


async def test_a_lost_worker_that_is_still_at_work_is_awake(
    api: Any, go_worker: Any, jobs: Any, clock: FakeClock
) -> None:
    worker, job = await go_worker().join(), await jobs(0)
    task = (await worker.ask()).json()
    await give_up(api, worker)
    assert await status(api, worker) == "error"
    assert (await worker.may_i_run(task))["mayKeepRunning"] is True
    assert await status(api, worker) == "awake"
    assert (await worker.update(task, taskStatus="completed")).status_code == 204
    assert (await api.job(job))["status"] == "completed"


async def test_what_was_asked_of_a_lost_worker_is_still_asked(
    api: Any, go_worker: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await give_up(api, worker)
    body = {"status": "offline", "is_lazy": False}
    path = f"/api/v3/worker-mgt/workers/{worker.uuid}/setstatus"
    await api.client.post(path, json=body)
    answer = await worker.ask()
    assert (answer.status_code, answer.json()) == (423, {"status_requested": "offline"})


# -- what people may ask ---------------------------------------------------------------------


async def test_a_status_that_nobody_can_ask_for_is_refused_with_those_that_one_can(
    api: Any, go_worker: Any
) -> None:
    worker = await go_worker("alfa").join()
    path = f"/api/v3/worker-mgt/workers/{worker.uuid}/setstatus"
    for word in ("error", "starting", "testing", "restart"):
        answer = await api.client.post(path, json={"status": word, "is_lazy": False})
        assert answer.status_code == 422
        assert answer.json()["message"].startswith("worker alfa cannot")
        assert answer.json()["message"].endswith("possible are: awake, asleep, offline")
    answer = await api.client.post(path, json={"status": "dancing", "is_lazy": False})
    assert answer.status_code == 400
    assert "must be one of" in answer.json()["message"]
