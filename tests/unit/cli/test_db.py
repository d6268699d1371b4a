"""``flamenco db``: what it says; what it does is tested with the store."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from flamenco_core.clock import SystemClock
from flamenco_core.manager.store.database import open_database


async def _make(path: Path) -> None:
    database = open_database(str(path), SystemClock())
    await database.start(lambda tx: None)
    await database.close()


@pytest.fixture
def farm_db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of the settings file in this folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flamenco-manager.yaml").write_text("_meta: {version: 3}\ndatabase: our.sqlite\n")
    asyncio.run(_make(tmp_path / "our.sqlite"))
    return tmp_path / "our.sqlite"


def test_a_backup_says_how_big_it_is(flamenco, farm_db) -> None:
    outcome = flamenco("db", "backup", "copy.sqlite")
    assert outcome.code == 0
    assert outcome.out.startswith(f"copy.sqlite is a backup of {farm_db}, ")
    assert Path("copy.sqlite").stat().st_size > 0
    again = flamenco("db", "backup", "copy.sqlite")
    assert (again.code, again.out) == (1, "")
    assert "copy.sqlite exists already" in again.err


def test_a_sound_database_is_said_to_be_sound(flamenco, farm_db) -> None:
    outcome = flamenco("db", "check")
    assert (outcome.code, outcome.out) == (0, f"{farm_db} is sound\n")


def test_damage_is_listed_with_the_way_back(flamenco, farm_db) -> None:
    other = sqlite3.connect(farm_db)
    other.execute("INSERT INTO dependencies (task_id, parent_id) VALUES (1, 2)")
    other.commit()
    other.close()
    outcome = flamenco("db", "check")
    assert outcome.code == 1
    assert "of dependencies refers to a row of tasks" in outcome.out
    assert "is damaged. There is no automatic backup" in outcome.err


def test_restoring_says_where_the_old_one_is(flamenco, farm_db) -> None:
    flamenco("db", "backup", "copy.sqlite")
    outcome = flamenco("db", "restore", "copy.sqlite")
    first, second = outcome.out.splitlines()
    assert first == f"{farm_db} is again what it was in copy.sqlite"
    kept = second.removeprefix("what it was until now is kept in ")
    assert Path(kept).is_file()


@pytest.mark.parametrize("command", [("backup", "x"), ("check",), ("restore",), ("restore", "x")])
def test_a_database_that_is_not_there_is_named(flamenco, tmp_path, monkeypatch, command) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = flamenco("db", "--database", "none.sqlite", *command)
    assert outcome.code == 1
    assert "there is no" in outcome.err
    assert "none.sqlite" in outcome.err or "backup" in outcome.err or "database x" in outcome.err


def test_a_settings_file_that_is_not_there_is_an_error(flamenco) -> None:
    outcome = flamenco("db", "--config", "no.yaml", "check")
    assert (outcome.code, "no settings file no.yaml" in outcome.err) == (1, True)


def test_a_file_that_is_no_database_is_named(flamenco, tmp_path) -> None:
    (tmp_path / "list").write_text("milk\n" * 1000)
    outcome = flamenco("db", "--database", tmp_path / "list", "check")
    assert outcome.code == 1
    assert "file is not a database" in outcome.out
