"""What clients and watchers hear when the Manager's disk is full, gone or damaged."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.domain.events import DatabaseTrouble
from flamenco_core.manager.database_care import FULL
from flamenco_core.wire.events import event_body, event_name


@pytest.fixture(autouse=True)
def look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flamenco_core.manager.readiness.FRESH", 0.0)


@pytest.fixture
def told(api: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was told of the database."""
    heard: list[str] = []
    publish = api.manager.bus.publish

    def listen(events: Any) -> None:
        events = list(events)
        heard.extend(e.message for e in events if isinstance(e, DatabaseTrouble))
        publish(events)

    monkeypatch.setattr(api.manager.bus, "publish", listen)
    return heard


async def limit(api: Any, pages: int) -> None:
    await api.manager.database.write(
        lambda tx: tx._cursor.execute(f"PRAGMA max_page_count={pages}").fetchone()
    )


async def test_a_full_disk_is_507_for_changes_and_reading_goes_on(api: Any, jobs: Any) -> None:
    job = await jobs()
    await limit(api, 1)
    many = {"message": "x" * 50_000, "sleep_repeats": 1, "sleep_duration_seconds": 1}
    body = {"name": "big", "type": "echo-sleep-test", "submitter_platform": "linux"}
    refused = await api.client.post("/api/v3/jobs", json={**body, "settings": many})
    assert refused.status_code == 507
    assert refused.headers["retry-after"] == "1"
    assert "make space" in refused.json()["message"]
    assert (await api.client.get(f"/api/v3/jobs/{job}")).status_code == 200
    await limit(api, 1_000_000)
    assert (await api.client.post("/api/v3/jobs", json={**body, "settings": many})).is_success


async def test_trouble_is_told_once_and_so_is_its_end(
    api: Any, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    care = api.manager.database_care
    await care.look()
    assert told == []
    with monkeypatch.context() as patch:

        async def full(*_: Any) -> bool:
            return False

        patch.setattr(api.manager.readiness, "_look", full)
        await care.look()
        await care.look()
    assert told == [FULL]
    await care.look()
    assert told == [FULL, ""]


async def test_a_deleted_database_is_told_and_not_ready(api: Any, told: list[str]) -> None:
    path = api.manager.database.path
    aside = path.rename(path.with_name("aside"))
    await api.manager.database_care.look()
    assert "was deleted" in told[0]
    assert (await api.client.get("/ready")).status_code == 503
    refused = await api.client.post("/api/v3/worker-mgt/tags", json={"name": "lost"})
    assert refused.status_code == 503
    assert "put the very file back" in refused.json()["message"]
    aside.rename(path)
    await api.manager.database_care.look()
    assert (await api.client.get("/ready")).status_code == 200


async def test_damage_is_told_and_not_ready_but_work_goes_on(
    api: Any, told: list[str], jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def damaged() -> list[str]:
        return ["page 7 is never used", "more"]

    with monkeypatch.context() as patch:
        patch.setattr(api.manager.database, "check", damaged)
        await api.manager.database_care.check()
    assert "page 7 is never used; 'flamenco db check'" in told[0]
    assert (await api.client.get("/ready")).status_code == 503
    await jobs()
    # A later check that finds nothing ends it, and makes the first backup.
    await api.manager.database_care.check()
    assert told[1:] == [""]
    assert (await api.client.get("/ready")).status_code == 200
    backups = api.manager.database.path.with_name("manager.sqlite.backups")
    assert len(list(backups.iterdir())) == 1


def test_live_clients_get_the_words() -> None:
    event = DatabaseTrouble("the disk is full")
    assert event_name(event) == "lifecycle"
    assert event_body(event) == {"type": "database-trouble", "message": "the disk is full"}
