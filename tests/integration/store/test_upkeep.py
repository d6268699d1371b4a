"""Backups that are made, judged and put back, on both kinds of database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from store_steps import add, names

from flamenco_core.clock import SystemClock
from flamenco_core.errors import DatabaseError, FlamencoError, NotFound
from flamenco_core.manager.store import upkeep
from flamenco_core.manager.store.database import Database, open_database

NOW = 1_775_037_600_000_000


async def started(url: str) -> Database:
    database = open_database(url, SystemClock())
    await database.start(lambda tx: None)
    return database


async def names_in(url: str) -> list[str]:
    database = await started(url)
    found: list[str] = await database.read(names)
    await database.close()
    return found


@pytest.fixture
async def farm(url: str) -> str:
    """A database with one name in it, which no Manager uses."""
    database = await started(url)
    await database.write(add, "backed up")
    await database.close()
    return url


async def write_more(url: str) -> None:
    database = await started(url)
    await database.write(add, "later")
    await database.close()


async def test_what_was_backed_up_comes_back_and_what_was_there_is_kept(
    farm: str, tmp_path: Path
) -> None:
    backup = tmp_path / "kept" / "farm.backup"
    backup.parent.mkdir()
    upkeep.back_up(farm, backup)
    await write_more(farm)
    source, aside = upkeep.restore(farm, backup, NOW)
    assert source == backup
    assert await names_in(farm) == ["backed up"]
    assert aside is not None
    upkeep.restore(farm, aside, NOW + 1_000_000)
    assert await names_in(farm) == ["backed up", "later"]


async def test_a_backup_can_be_made_while_a_manager_runs(url: str, tmp_path: Path) -> None:
    running = await started(url)
    await running.write(add, "one")
    upkeep.back_up(url, tmp_path / "copy")
    await running.write(add, "two")
    with pytest.raises(DatabaseError, match="stop"):
        upkeep.restore(url, tmp_path / "copy", NOW)
    assert await running.read(names) == ["one", "two"]
    await running.close()
    upkeep.restore(url, tmp_path / "copy", NOW)
    assert await names_in(url) == ["one"]


async def test_a_file_that_is_there_is_not_overwritten(farm: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("precious")
    with pytest.raises(DatabaseError, match="taken exists already"):
        upkeep.back_up(farm, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "precious"
    assert [path.name for path in tmp_path.glob(".*")] == []


async def test_a_sound_database_is_found_sound(farm: str) -> None:
    assert upkeep.find_damage(farm) == []


@pytest.mark.parametrize("content", ["a shopping list\n" * 100, ""])
async def test_what_is_no_backup_is_refused_and_changes_nothing(
    farm: str, tmp_path: Path, content: str
) -> None:
    (tmp_path / "list").write_text(content)
    with pytest.raises(DatabaseError, match=r"choose another|pg_restore failed"):
        upkeep.restore(farm, tmp_path / "list", NOW)
    assert await names_in(farm) == ["backed up"]


async def test_a_backup_that_is_not_there_is_named(farm: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        upkeep.restore(farm, tmp_path / "nowhere", NOW)


# -- SQLite ----------------------------------------------------------------------------------


async def test_a_row_without_the_row_it_needs_is_damage(sqlite_file: Path) -> None:
    await (await started(str(sqlite_file))).close()
    other = sqlite3.connect(sqlite_file)
    other.execute("INSERT INTO dependencies (task_id, parent_id) VALUES (1, 2)")
    other.commit()
    other.close()
    found = upkeep.find_damage(str(sqlite_file))
    assert "of dependencies refers to a row of tasks that is not there" in found[0]


async def test_another_programs_database_is_no_backup(sqlite_file: Path, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE jobs (id)")
    other.commit()
    other.close()
    with pytest.raises(DatabaseError, match="no database of a Manager"):
        upkeep.restore(str(sqlite_file), tmp_path / "other", NOW)


async def test_without_a_file_the_newest_automatic_backup_is_taken(sqlite_file: Path) -> None:
    with pytest.raises(DatabaseError, match="no automatic backup"):
        upkeep.restore(str(sqlite_file), None, NOW)
    database = await started(str(sqlite_file))
    await database.write(add, "one")
    backup = await database.back_up(1.0, 3)
    await database.close()
    sqlite_file.unlink()
    source, aside = upkeep.restore(str(sqlite_file), None, NOW)
    assert (str(source), aside) == (backup, None)
    assert await names_in(str(sqlite_file)) == ["one"]


async def test_the_log_of_a_killed_manager_does_not_come_over_the_backup(
    sqlite_file: Path, tmp_path: Path
) -> None:
    database = await started(str(sqlite_file))
    await database.write(add, "one")
    upkeep.back_up(str(sqlite_file), tmp_path / "copy")
    await database.close()
    log = sqlite_file.with_name(sqlite_file.name + "-wal")
    log.write_bytes(b"left by a Manager that was killed")
    _, aside = upkeep.restore(str(sqlite_file), tmp_path / "copy", NOW)
    assert not log.exists()
    assert aside is not None
    assert aside.with_name(aside.name + "-wal").read_bytes().startswith(b"left by")
    assert await names_in(str(sqlite_file)) == ["one"]


# -- PostgreSQL ------------------------------------------------------------------------------


@pytest.mark.postgresql
async def test_without_the_programs_the_command_is_named_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    url = "postgresql+psycopg://me:secret@box:5433/farm"
    with pytest.raises(DatabaseError) as raised:
        upkeep.back_up(url, tmp_path / "farm.dump")
    words = str(raised.value)
    assert f"pg_dump --format=custom --no-owner --file {tmp_path}/farm.dump" in words
    assert "--dbname postgresql://me@box:5433/farm" in words
    assert "secret" not in words


@pytest.mark.postgresql
async def test_a_server_has_no_automatic_backups(postgresql_url: str) -> None:
    database: Any = await started(postgresql_url)
    assert await database.back_up(1.0, 3) == await database.look() == ""
    assert await database.check() == []
    await database.close()
    with pytest.raises(FlamencoError, match="name the file to restore"):
        upkeep.restore(postgresql_url, None, NOW)
