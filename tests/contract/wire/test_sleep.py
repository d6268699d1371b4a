"""Sleep schedules: on the wire as Flamenco's, and what workers are asked because of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from flamenco_core.domain.events import WorkerUpdated
from flamenco_core.testing.fake_clock import FakeClock

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
OFFICE = {"is_active": True, "days_of_week": "", "start_time": "09:00", "end_time": "18:00"}
EMPTY = {"is_active": False, "days_of_week": "", "start_time": "", "end_time": ""}
MONDAY_TUESDAY = {"days_of_week": "mo tu"}
NIGHT = {"start_time": "22:00", "end_time": "06:00"}
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


@pytest.fixture
def schedule(api: Any) -> Any:
    """Save a schedule."""

    async def save(worker: Any, body: dict[str, Any], expected: int = 204) -> str:
        answer = await api.client.post(url(worker.uuid), json=body)
        assert answer.status_code == expected, answer.text
        return answer.text

    return save


def url(worker: str) -> str:
    return f"/api/v3/worker-mgt/workers/{worker}/sleep-schedule"


async def shown(api: Any, worker: Any) -> dict[str, Any]:
    return (await api.client.get(url(worker.uuid))).json()


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


# -- on the wire -----------------------------------------------------------------------------


async def test_without_a_schedule_there_is_nothing_to_show(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    answer = await api.client.get(url(worker.uuid))
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_schedule_is_kept_as_flamenco_writes_it(
    api: Any, go_worker: Any, schedule: Any
) -> None:
    worker = await go_worker().join()
    for sent, kept in (
        (OFFICE, OFFICE),
        (EVENING | {"days_of_week": "mo tu th fr"}, EVENING | {"days_of_week": "mo tu th fr"}),
        (EMPTY, EMPTY),
        (OFFICE | {"days_of_week": "Tuesday  mo", "start_time": "9:00"}, OFFICE | MONDAY_TUESDAY),
        # Flamenco swaps the two, and the worker sleeps all day.
        (OFFICE | NIGHT, OFFICE | NIGHT),
    ):
        await schedule(worker, sent)
        found = await shown(api, worker)
        assert {key: found[key] for key in OFFICE} == kept
        assert found["more_spans"] == found["exceptions"] == []
        assert (found["time_zone"], found["finish_task"]) == ("", False)


async def test_a_wrong_schedule_is_refused_and_changes_nothing(
    api: Any, go_worker: Any, schedule: Any
) -> None:
    worker = await go_worker().join()
    for wrong, words in (
        ({"start_time": "9 o'clock"}, "invalid format for schedule start time"),
        ({"end_time": "25:00"}, "invalid format for schedule end time"),
        ({"days_of_week": "m"}, "'m' is no day of the week"),
        ({"start_time": "18:00"}, "leave both times empty"),
        ({"start_time": None}, "must be a text"),
        ({"is_active": "yes"}, "must be true or false"),
        ({"time_zone": "Mars"}, "'Mars' is no time zone"),
        ({"exceptions": ["24 Dec"]}, "'24 Dec' is no date"),
        ({"more_spans": [{"start_time": "x"}]}, "'x' is no time of the day"),
        ({"more_spans": [{"start_time": "01:00"}] * 60}, "at most 50 spans"),
        ({"finish_task": 1}, "must be true or false"),
    ):
        assert words in await schedule(worker, OFFICE | wrong, expected=400)
    assert (await api.client.get(url(worker.uuid))).status_code == 204
    assert await asked(api, worker) == ("awake", None)


async def test_all_four_keys_are_required(api: Any, go_worker: Any, schedule: Any) -> None:
    worker = await go_worker().join()
    for key in OFFICE:
        text = await schedule(worker, {k: v for k, v in OFFICE.items() if k != key}, expected=400)
        assert key in text


async def test_a_worker_that_is_not_there(api: Any) -> None:
    assert (await api.client.get(url(NOWHERE))).status_code == 404
    assert (await api.client.post(url(NOWHERE), json=OFFICE)).status_code == 404
    assert (await api.client.get(url("nonsense"))).status_code == 400
    assert (await api.client.post(url("nonsense"), json=OFFICE)).status_code == 400
    text = await api.client.post(url(NOWHERE), content=b"{}", headers={"content-type": "text/html"})
    assert text.status_code == 400


async def test_what_flamencos_web_app_does_not_know_survives_it(
    api: Any, go_worker: Any, schedule: Any
) -> None:
    worker = await go_worker().join()
    ours = {
        "more_spans": [{"days_of_week": "sa", "start_time": "22:00", "end_time": "6:00"}],
        "exceptions": ["2026-12-25", "2026-12-24", "2026-12-24"],
        "time_zone": "Asia/Tokyo",
        "finish_task": True,
    }
    await schedule(worker, OFFICE | ours)
    await schedule(worker, EVENING | {"is_active": False})
    found = await shown(api, worker)
    assert (found["is_active"], found["start_time"]) == (False, "19:00")
    (more,) = found["more_spans"]
    assert more == {"days_of_week": "sa", "start_time": "22:00", "end_time": "06:00"}
    assert found["exceptions"] == ["2026-12-24", "2026-12-25"]
    assert (found["time_zone"], found["finish_task"]) == ("Asia/Tokyo", True)
    gone = {"more_spans": [], "exceptions": [], "time_zone": "", "finish_task": False}
    await schedule(worker, OFFICE | gone)
    assert {key: (await shown(api, worker))[key] for key in gone} == gone


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


# -- what it does ----------------------------------------------------------------------------


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
    clock.set(clock.monotonic() + 300)
    await api.manager.give_up_overdue()
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
