"""Sleep schedules as bodies: Flamenco's four keys, ours, and wrong ones."""

from __future__ import annotations

from typing import Any

import pytest
from wire_sleep import shown, url

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
    found = (await api.client.get(f"/api/v3/worker-mgt/workers/{worker.uuid}")).json()
    assert "status_change" not in found


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
