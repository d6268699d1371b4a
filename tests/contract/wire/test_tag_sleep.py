"""Workers without a sleep schedule of their own follow that of a tag."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from wire_conversation import on_both
from wire_sleep import shown, url

from flamenco_core.testing.fake_clock import FakeClock

pytestmark = on_both
OFFICE = {"is_active": True, "days_of_week": "", "start_time": "09:00", "end_time": "18:00"}
NIGHT = OFFICE | {"start_time": "22:00", "end_time": "06:00"}
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


@pytest.fixture
def clock() -> FakeClock:
    """Wednesday, 1 April 2026, 10:00 in the farm's time zone."""
    return FakeClock()


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"time_zone": "UTC"}


@pytest.fixture
def more(clock: FakeClock) -> dict[str, Any]:
    return {"clock": clock}


@pytest.fixture
def at(api: Any, clock: FakeClock) -> Any:
    """Go to a moment and let schedules speak."""

    async def go(wall: str) -> None:
        moment = datetime.fromisoformat(f"2026-04-{wall}").replace(tzinfo=UTC)
        clock._now = round(moment.timestamp() * 1_000_000)
        await api.manager.sleeping.follow()

    return go


async def send(api: Any, method: str, path: str, body: Any = None, status: int = 204) -> Any:
    answer = await api.client.request(method, f"/api/v3/worker-mgt/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def a_tag(api: Any, name: str, schedule: dict[str, Any] | None = None) -> str:
    id = (await send(api, "POST", "tags", {"name": name}, 200))["id"]
    if schedule:
        await send(api, "POST", f"tag/{id}/sleep-schedule", schedule)
    return str(id)


async def give(api: Any, worker: Any, *tags: str) -> None:
    await send(api, "POST", f"workers/{worker.uuid}/settags", {"tag_ids": [*tags]})


async def asked(api: Any, worker: Any) -> str | None:
    found = await send(api, "GET", f"workers/{worker.uuid}", status=200)
    change = found.get("status_change")
    return change and str(change["status"])


async def own(api: Any, worker: Any, schedule: dict[str, Any]) -> None:
    assert (await api.client.post(url(worker.uuid), json=schedule)).status_code == 204


async def followed(api: Any, worker: Any) -> tuple[str, str | None] | None:
    """Return when the worker's sleep begins, and through which tag."""
    if (await api.client.get(url(worker.uuid))).status_code == 204:
        return None
    found = await shown(api, worker)
    return found["start_time"], found.get("tag")


# -- what a worker follows ---------------------------------------------------------------------


async def test_a_worker_follows_its_tag_from_the_moment_it_has_it(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    tag = await a_tag(api, "desk", OFFICE)
    assert await followed(api, worker) is None
    await give(api, worker, tag)
    assert await followed(api, worker) == ("09:00", "desk")
    assert await asked(api, worker) == "asleep"


async def test_it_follows_changes_of_the_tags_schedule_at_once(
    api: Any, go_worker: Any, at: Any
) -> None:
    worker = await go_worker().join()
    tag = await a_tag(api, "desk")
    await give(api, worker, tag)
    assert await followed(api, worker) is None
    await send(api, "POST", f"tag/{tag}/sleep-schedule", NIGHT)
    assert (await followed(api, worker), await asked(api, worker)) == (("22:00", "desk"), None)
    await at("01 22:00")
    assert await asked(api, worker) == "asleep"
    await worker.post("state-changed", {"status": "asleep"})
    await send(api, "DELETE", f"tag/{tag}/sleep-schedule")
    assert (await followed(api, worker), await asked(api, worker)) == (None, "awake")


async def test_its_own_schedule_wins_even_one_that_is_switched_off(
    api: Any, go_worker: Any
) -> None:
    worker = await go_worker().join()
    await own(api, worker, OFFICE | {"is_active": False})
    tag = await a_tag(api, "desk", OFFICE)
    await give(api, worker, tag)
    await send(api, "POST", f"tag/{tag}/sleep-schedule", OFFICE | {"start_time": "08:00"})
    assert (await followed(api, worker), await asked(api, worker)) == (("09:00", None), None)
    await send(api, "DELETE", f"workers/{worker.uuid}/sleep-schedule")
    assert (await followed(api, worker), await asked(api, worker)) == (("08:00", "desk"), "asleep")


async def test_what_is_changed_for_the_worker_is_its_own_from_then_on(
    api: Any, go_worker: Any
) -> None:
    worker = await go_worker().join()
    tag = await a_tag(api, "desk", OFFICE | {"exceptions": ["2026-12-24"]})
    await give(api, worker, tag)
    await own(api, worker, NIGHT)
    assert await followed(api, worker) == ("22:00", None)
    # What the stock web app does not know of is taken along.
    assert (await shown(api, worker))["exceptions"] == ["2026-12-24"]
    await send(api, "DELETE", f"tag/{tag}/sleep-schedule")
    assert await followed(api, worker) == ("22:00", None)


async def test_of_several_tags_the_first_by_name_counts(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    empty, desk, night = (
        await a_tag(api, "a-gpu"),
        await a_tag(api, "desk", OFFICE),
        await a_tag(api, "night", NIGHT),
    )
    await give(api, worker, night, empty)
    assert await followed(api, worker) == ("22:00", "night")
    await give(api, worker, night, desk, empty)
    assert await followed(api, worker) == ("09:00", "desk")
    await give(api, worker, night)
    assert await followed(api, worker) == ("22:00", "night")


async def test_a_tag_that_is_deleted_or_taken_away_lets_its_workers_wake_up(
    api: Any, go_worker: Any
) -> None:
    alfa = await go_worker("alfa").join()
    bela = await go_worker("bela", secret="6" * 64).join()
    tag = await a_tag(api, "desk", OFFICE)
    for worker in (alfa, bela):
        await give(api, worker, tag)
        await worker.post("state-changed", {"status": "asleep"})
    await give(api, alfa)
    assert (await followed(api, alfa), await asked(api, alfa)) == (None, "awake")
    await send(api, "DELETE", f"tag/{tag}")
    assert (await followed(api, bela), await asked(api, bela)) == (None, "awake")


async def test_a_worker_that_was_woken_is_left_alone_by_what_changes_nothing(
    api: Any, go_worker: Any, at: Any
) -> None:
    worker = await go_worker().join()
    desk, other = await a_tag(api, "desk", OFFICE), await a_tag(api, "x")
    await give(api, worker, desk)
    await worker.post("state-changed", {"status": "asleep"})
    body = {"status": "awake", "is_lazy": False}
    await send(api, "POST", f"workers/{worker.uuid}/setstatus", body)
    await worker.post("state-changed", {"status": "awake"})
    await give(api, worker, desk, other)
    await at("01 12:00")
    assert await asked(api, worker) is None


async def test_a_worker_that_signs_on_hears_what_its_tag_says(api: Any, go_worker: Any) -> None:
    worker = go_worker()
    await worker.register()
    await give(api, worker, await a_tag(api, "desk", OFFICE))
    assert (await worker.sign_on()).json() == {"status_requested": "asleep"}


# -- of a tag ----------------------------------------------------------------------------------


async def test_a_tag_shows_its_schedule_and_what_it_says_now(api: Any) -> None:
    tag = await a_tag(api, "desk")
    assert await send(api, "GET", f"tag/{tag}/sleep-schedule") is None
    await send(api, "POST", f"tag/{tag}/sleep-schedule", OFFICE | {"finish_task": True})
    found = await send(api, "GET", f"tag/{tag}/sleep-schedule", status=200)
    assert (found["start_time"], found["finish_task"]) == ("09:00", True)
    assert (found["status"], found["next_change"]) == ("asleep", "2026-04-01T18:00:00.000000Z")
    assert "tag" not in found
    # As with a worker, what is left out stays.
    await send(api, "POST", f"tag/{tag}/sleep-schedule", NIGHT)
    assert (await send(api, "GET", f"tag/{tag}/sleep-schedule", status=200))["finish_task"]


@pytest.mark.parametrize(
    "wrong", [{"start_time": "25:00"}, {"time_zone": "Mars"}, {"is_active": 3}]
)
async def test_a_wrong_one_is_refused(api: Any, wrong: dict[str, Any]) -> None:
    tag = await a_tag(api, "desk")
    await send(api, "POST", f"tag/{tag}/sleep-schedule", OFFICE | wrong, 400)
    assert await send(api, "GET", f"tag/{tag}/sleep-schedule") is None


async def test_an_unknown_tag_or_worker_is_not_found(api: Any, go_worker: Any) -> None:
    path = f"tag/{NOWHERE}/sleep-schedule"
    for method, body in (("GET", None), ("POST", OFFICE), ("DELETE", None)):
        assert NOWHERE in (await send(api, method, path, body, 404))["message"]
    await send(api, "DELETE", f"workers/{NOWHERE}/sleep-schedule", status=404)
    # A worker that has none can lose none.
    worker = await go_worker().join()
    await send(api, "DELETE", f"workers/{worker.uuid}/sleep-schedule")
