"""What workers were asked to be: by whom, when, and what came of it; who is late."""

from __future__ import annotations

from typing import Any

import pytest
from wire_conversation import give_up, on_both, wish

from flamenco_core import Identity, hookimpl
from flamenco_core.testing import FakeClock

pytestmark = on_both
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
OFFICE = {"is_active": True, "days_of_week": "", "start_time": "09:00", "end_time": "18:00"}


class People:
    """Whoever names himself is that person."""

    @hookimpl
    def find_identity(self, connection: Any) -> Identity | None:
        name = connection.headers.get("x-person")
        return Identity(kind="person", id="p", name=name) if name else None


@pytest.fixture
def plugins() -> list[object]:
    return [People()]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def more(clock: FakeClock) -> dict[str, Any]:
    return {"clock": clock}


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"time_zone": "UTC"}


async def requests_of(api: Any, worker: Any) -> list[dict[str, Any]]:
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}/status-requests"
    return list((await api.client.get(url)).json()["requests"])


async def told(api: Any, worker: Any) -> list[tuple[str, str | None, str | None]]:
    found = await requests_of(api, worker)
    return [(one["status"], one.get("asked_by"), one.get("outcome")) for one in found]


# -- requests ----------------------------------------------------------------------------------


async def test_a_request_says_who_asked_when_and_when_it_was_confirmed(
    api: Any, go_worker: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    before = await requests_of(api, worker)
    api.client.headers["x-person"] = "artist"
    await wish(api, worker, "asleep", lazy=True)
    del api.client.headers["x-person"]
    (open_one, *_) = await requests_of(api, worker)
    assert (open_one["asked_by"], open_one["is_lazy"]) == ("artist", True)
    assert "outcome" not in open_one
    assert "ended_at" not in open_one
    clock._now += 3_000_000
    await worker.post("state-changed", {"status": "asleep"})
    (ended, *rest) = await requests_of(api, worker)
    assert (ended["id"], ended["outcome"]) == (open_one["id"], "confirmed")
    assert ended["asked_at"] == open_one["asked_at"] < ended["ended_at"]
    assert rest == before


async def test_the_same_request_once_more_is_the_same_and_another_one_replaces_it(
    api: Any, go_worker: Any
) -> None:
    worker = await go_worker().join()
    for status in ("asleep", "asleep", "offline", "awake"):
        await wish(api, worker, status)
    assert await told(api, worker) == [
        ("offline", None, "withdrawn"),
        ("asleep", None, "replaced"),
    ]


async def test_a_sleep_schedule_signs_what_it_asks(api: Any, go_worker: Any) -> None:
    worker = await go_worker().join()
    url = f"/api/v3/worker-mgt/workers/{worker.uuid}/sleep-schedule"
    assert (await api.client.post(url, json=OFFICE)).status_code == 204
    assert await told(api, worker) == [("asleep", "its sleep schedule", None)]
    assert (await worker.ask()).status_code == 423


async def test_one_that_is_to_stop_confirms_it_and_comes_back_as_it_left(
    api: Any, go_worker: Any
) -> None:
    worker = await go_worker().join()
    await wish(api, worker, "offline")
    await worker.post("sign-off")
    assert await told(api, worker) == [
        ("awake", None, None),
        ("offline", None, "confirmed"),
    ]
    await worker.sign_on()
    await worker.post("state-changed", {"status": "awake"})
    assert (await told(api, worker))[0] == ("awake", None, "confirmed")


async def test_what_was_asked_of_a_worker_that_is_lost_waits_for_it(
    api: Any, go_worker: Any
) -> None:
    worker = await go_worker().join()
    await wish(api, worker, "asleep")
    await give_up(api, worker)
    (_, _, outcome) = (await told(api, worker))[0]
    assert outcome != "confirmed"


async def test_the_last_twenty_are_shown_and_none_of_an_unknown_worker(
    api: Any, go_worker: Any
) -> None:
    worker = await go_worker().join()
    for _ in range(12):
        await wish(api, worker, "asleep")
        await wish(api, worker, "offline")
    assert len(await told(api, worker)) == 20
    url = f"/api/v3/worker-mgt/workers/{NOWHERE}/status-requests"
    assert (await api.client.get(url)).status_code == 404


async def test_what_ended_a_month_ago_is_forgotten(
    api: Any, go_worker: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()
    await wish(api, worker, "asleep")
    await wish(api, worker, "awake")
    clock._now += 31 * 24 * 3600 * 1_000_000
    await wish(api, worker, "offline")
    assert await told(api, worker) == [("offline", None, None)]


# -- late --------------------------------------------------------------------------------------


async def test_a_worker_that_should_have_called_is_late_and_then_lost(
    api: Any, go_worker: Any, clock: FakeClock
) -> None:
    worker = await go_worker().join()

    async def shown() -> tuple[str, bool]:
        one = (await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")).json()
        (listed,) = (await api.client.get("/api/v3/worker-mgt/workers")).json()["workers"]
        assert listed["is_late"] == one["is_late"]
        return one["status"], one["is_late"]

    assert await shown() == ("awake", False)
    clock.set(clock.monotonic() + 60)
    assert await shown() == ("awake", True)
    await worker.ask()
    assert await shown() == ("awake", False)
    clock.set(clock.monotonic() + 60)
    await give_up(api, worker)
    assert await shown() == ("error", False)
