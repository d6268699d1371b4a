"""What is asked of workers because of their sleep schedules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest
from wire_conversation import give_up
from wire_sleep import shown, url

from flamenco_core.domain.events import WorkerUpdated
from flamenco_core.testing.fake_clock import FakeClock

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)
OFFICE = {"is_active": True, "days_of_week": "", "start_time": "09:00", "end_time": "18:00"}
EVENING = OFFICE | {"start_time": "19:00", "end_time": "23:00"}


@pytest.fixture
def clock() -> FakeClock:
    """Wednesday, 1 April 2026, 10:00 in the farm's time zone."""
    return FakeClock()


@pytest.fixture
async def api(
    manager: Any, judge: Any, clock: FakeClock, database: str | None
) -> AsyncIterator[Any]:
    settings = {"time_zone": "UTC"} | ({"database": database} if database else {})
    async with manager(settings=settings, clock=clock) as running:
        running.client.event_hooks["response"].append(judge)
        yield running


@pytest.fixture
def at(api: Any, clock: FakeClock) -> Any:
    """Go to a moment, forward or back, and let schedules speak."""

    async def go(wall: str) -> None:
        moment = datetime.fromisoformat(f"2026-04-{wall}").replace(tzinfo=UTC)
        clock._now = round(moment.timestamp() * 1_000_000)
        await api.manager.sleeping.follow()

    return go


async def asked(api: Any, worker: Any) -> tuple[str, Any]:
    found = (await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")).json()
    change = found.get("status_change")
    return found["status"], change and (change["status"], change["is_lazy"])


async def ask_for(api: Any, worker: Any, status: str, *, is_lazy: bool = False) -> None:
    body = {"status": status, "is_lazy": is_lazy}
    path = f"/api/v3/worker-mgt/workers/{worker.uuid}/setstatus"
    assert (await api.client.post(path, json=body)).status_code == 204


async def obey(worker: Any) -> None:
    wanted = (await worker.get("state")).json()["status_requested"]
    assert (await worker.post("state-changed", {"status": wanted})).status_code == 204


# -- what it does ----------------------------------------------------------------------------


async def test_what_is_read_can_be_sent_back(api: Any, go_worker: Any, schedule: Any) -> None:
    worker = await go_worker().join()
    await schedule(worker, OFFICE)
    found = await shown(api, worker)
    assert (found["status"], found["next_change"]) == ("asleep", "2026-04-01T18:00:00.000000Z")
    await schedule(worker, found)
    assert await shown(api, worker) == found
    await schedule(worker, OFFICE | {"is_active": False})
    assert (await shown(api, worker))["status"] == "awake"
    assert "next_change" not in await shown(api, worker)


async def test_a_saved_schedule_acts_at_once_and_a_wake_by_hand_lasts_until_its_end(
    api: Any, go_worker: Any, schedule: Any, at: Any
) -> None:
    worker = await go_worker().join()
    await schedule(worker, OFFICE)
    assert await asked(api, worker) == ("awake", ("asleep", False))
    await obey(worker)
    await ask_for(api, worker, "awake")
    await obey(worker)
    for wall in ("01T10:05", "01T13:00", "01T17:59"):
        await at(wall)
        assert await asked(api, worker) == ("awake", None)
    await at("01T18:00")
    assert await asked(api, worker) == ("awake", None)
    await at("02T09:00")
    assert await asked(api, worker) == ("awake", ("asleep", False))
    await obey(worker)
    await at("02T18:01")
    assert await asked(api, worker) == ("asleep", ("awake", False))


async def test_a_sleep_by_hand_lasts_until_the_next_change(
    api: Any, go_worker: Any, schedule: Any, at: Any
) -> None:
    worker = await go_worker().join()
    await schedule(worker, EVENING)
    await ask_for(api, worker, "asleep")
    await obey(worker)
    await at("01T18:59")
    assert await asked(api, worker) == ("asleep", None)
    await at("01T23:00")
    assert await asked(api, worker) == ("asleep", ("awake", False))


async def test_it_takes_the_place_of_what_was_asked_but_not_of_a_shut_down(
    api: Any, go_worker: Any, schedule: Any, at: Any
) -> None:
    lazy, leaving = await go_worker("lazy").join(), await go_worker("leaving").join()
    for worker in (lazy, leaving):
        await schedule(worker, EVENING)
    await ask_for(api, lazy, "asleep", is_lazy=True)
    await ask_for(api, leaving, "offline", is_lazy=True)
    await at("01T19:00")
    assert await asked(api, lazy) == ("awake", ("asleep", False))
    assert await asked(api, leaving) == ("awake", ("offline", False))


async def test_with_finish_task_the_running_task_goes_on(
    api: Any, go_worker: Any, jobs: Any, schedule: Any
) -> None:
    polite, strict = await go_worker("polite").join(), await go_worker("strict").join()
    await jobs(0), await jobs(0)
    tasks = [(await worker.ask()).json() for worker in (polite, strict)]
    await schedule(polite, OFFICE | {"finish_task": True})
    await schedule(strict, OFFICE)
    assert (await polite.may_i_run(tasks[0]))["mayKeepRunning"] is True
    assert (await strict.may_i_run(tasks[1]))["mayKeepRunning"] is False
    await polite.update(tasks[0], taskStatus="completed")
    assert (await polite.ask()).status_code == 423


async def test_exceptions_time_zones_and_further_spans_count(
    api: Any, go_worker: Any, schedule: Any, at: Any
) -> None:
    worker = await go_worker().join()
    more = {"more_spans": [{"start_time": "22:00", "end_time": "06:00"}]}
    tokyo = {"time_zone": "Asia/Tokyo", "exceptions": ["2026-04-02"]} | more
    await schedule(worker, OFFICE | tokyo)  # it is 19:00 there
    assert await asked(api, worker) == ("awake", None)
    await at("01T13:00")
    assert await asked(api, worker) == ("awake", ("asleep", False))
    await at("01T21:00")
    assert await asked(api, worker) == ("awake", None)
    assert (await shown(api, worker))["next_change"] == "2026-04-03T00:00:00.000000Z"


async def test_switching_it_off_wakes_the_worker(
    api: Any, go_worker: Any, schedule: Any, at: Any
) -> None:
    worker = await go_worker().join()
    await schedule(worker, OFFICE)
    await obey(worker)
    await schedule(worker, OFFICE | {"is_active": False})
    assert await asked(api, worker) == ("asleep", ("awake", False))
    await obey(worker)
    await at("02T10:00")
    assert await asked(api, worker) == ("awake", None)


async def test_people_and_programs_hear_of_it_once(
    api: Any, go_worker: Any, schedule: Any, at: Any
) -> None:
    worker = await go_worker().join()
    events = api.manager.bus.subscribe()
    await schedule(worker, OFFICE)
    await at("01T10:01")
    await at("01T10:02")
    told = [(await events.next(1)).event]
    with pytest.raises(TimeoutError):
        told.append((await events.next(0.05)).event)
    assert [type(event) for event in told] == [WorkerUpdated]
    assert (told[0].worker.status_requested, told[0].worker.is_lazy) == ("asleep", False)


async def test_the_manager_looks_by_itself(
    api: Any, go_worker: Any, schedule: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await schedule(worker, OFFICE | {"start_time": "10:01"})
    with anyio.fail_after(20):
        while (await worker.get("state")).status_code == 204:
            await clock.advance(5)
    assert await asked(api, worker) == ("awake", ("asleep", False))


# -- who is not there ------------------------------------------------------------------------


async def test_a_worker_that_is_offline_hears_it_when_it_signs_on(
    api: Any, go_worker: Any, schedule: Any, at: Any
) -> None:
    worker = await go_worker().join()
    await schedule(worker, EVENING)
    await at("01T11:00")
    await worker.post("sign-off")
    left = await asked(api, worker)
    assert left == ("offline", ("awake", False))
    await at("01T20:00")
    assert await asked(api, worker) == left
    assert (await worker.sign_on()).json() == {"status_requested": "asleep"}
    await worker.post("state-changed", {"status": "asleep"})
    assert await asked(api, worker) == ("asleep", None)


async def test_it_comes_back_as_it_left_when_nothing_has_changed_meanwhile(
    api: Any, go_worker: Any, schedule: Any, at: Any
) -> None:
    worker = await go_worker().join()
    await schedule(worker, OFFICE)
    await obey(worker)
    await ask_for(api, worker, "awake")
    await obey(worker)
    await at("01T11:00")
    await worker.post("sign-off")
    await at("01T12:00")
    assert (await worker.sign_on()).json() == {"status_requested": "awake"}


async def test_a_new_process_sleeps_if_its_schedule_says_so(
    api: Any, go_worker: Any, schedule: Any
) -> None:
    worker = go_worker()
    await worker.register()
    await schedule(worker, OFFICE)
    assert (await asked(api, worker))[1] is None
    assert (await worker.sign_on()).json() == {"status_requested": "asleep"}


async def test_a_lost_worker_is_left_alone_and_sleeps_when_it_is_back(
    api: Any, go_worker: Any, schedule: Any, at: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await schedule(worker, EVENING)
    await give_up(api, worker)
    assert await asked(api, worker) == ("error", None)
    await at("01T20:00")
    assert await asked(api, worker) == ("error", None)
    answer = await worker.ask()
    assert (answer.status_code, answer.json()) == (423, {"status_requested": "asleep"})
    assert await asked(api, worker) == ("awake", ("asleep", False))


async def test_a_deleted_worker_sleeps_for_ever(
    api: Any, go_worker: Any, schedule: Any, at: Any
) -> None:
    worker = await go_worker().join()
    await schedule(worker, EVENING)
    await api.client.delete(f"/api/v3/worker-mgt/workers/{worker.uuid}")
    await at("01T20:00")
    assert (await api.client.get(url(worker.uuid))).status_code == 404


# -- clocks that jump ------------------------------------------------------------------------


@pytest.mark.parametrize("wall", ["02T10:00", "08T10:00"])
async def test_a_jump_forward_over_a_change_is_looked_at_once(
    api: Any, go_worker: Any, schedule: Any, at: Any, wall: str
) -> None:
    worker = await go_worker().join()
    await schedule(worker, OFFICE)
    await obey(worker)
    await ask_for(api, worker, "awake")
    await obey(worker)
    await at(wall)
    assert await asked(api, worker) == ("awake", ("asleep", False))
    await obey(worker)
    await ask_for(api, worker, "awake")
    await obey(worker)
    await at(wall)
    assert await asked(api, worker) == ("awake", None)


async def test_a_jump_back_is_looked_at_once_and_overrides_nobody(
    api: Any, go_worker: Any, schedule: Any, at: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await at("20T20:00")
    await schedule(worker, OFFICE)
    await at("20T12:00")
    assert await asked(api, worker) == ("awake", ("asleep", False))
    await obey(worker)
    await ask_for(api, worker, "awake")
    await obey(worker)
    await at("01T12:00")
    assert await asked(api, worker) == ("awake", None)
    assert (await shown(api, worker))["next_change"] == "2026-04-01T18:00:00.000000Z"
    clock._now = 0
    await api.manager.sleeping.follow()
    assert (await shown(api, worker))["next_change"] == "1970-01-01T09:00:00.000000Z"
