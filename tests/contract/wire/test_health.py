"""What a watcher of the Manager's process asks."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.manager.store.sqlite_library import dbapi


async def status_of(api: Any, path: str) -> int:
    return int((await api.client.get(path)).status_code)


async def test_a_manager_that_works_is_alive_and_ready(api: Any) -> None:
    for path in ("/live", "/ready"):
        answer = await api.client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_database_that_cannot_be_written_is_not_ready_and_is_again_later(
    api: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("flamenco_core.manager.readiness.PATIENCE", 0.05)
    monkeypatch.setattr("flamenco_core.manager.readiness.FRESH", 0.0)
    other = dbapi().connect(api.manager.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await status_of(api, "/ready") == 503
    assert await status_of(api, "/live") == 200
    other.execute("ROLLBACK")
    other.close()
    assert await status_of(api, "/ready") == 200


async def test_asking_often_writes_seldom(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flamenco_core.manager.readiness.FRESH", float("inf"))
    assert await status_of(api, "/ready") == 200
    monkeypatch.setattr(api.manager.database, "brief", None)
    assert await status_of(api, "/ready") == 200


async def test_a_manager_that_stops_is_not_ready(api: Any) -> None:
    api.manager.end_streams()
    assert await status_of(api, "/ready") == 503


@pytest.mark.parametrize(("given", "told"), [("3.9-beta1", "3.9-beta1"), ("", None)])
async def test_the_version_shown_can_be_another_one(manager: Any, given: str, told: Any) -> None:
    from flamenco_core import __version__

    async with manager(settings={"shown_version": given}) as running:
        answer = (await running.client.get("/api/v3/version")).json()
    expected = told or __version__
    assert (answer["version"], answer["shortversion"]) == (expected, expected)
