"""A SQLite file that something happens to: damage, a full or failing disk, other hands."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from store_steps import add, names

from flamenco_core.clock import SystemClock
from flamenco_core.errors import DatabaseError, StorageFull
from flamenco_core.manager.store import sqlite, sqlite_backup
from flamenco_core.manager.store.sqlite import SqliteDatabase
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.sqlite_words import in_words, is_final


def ignore(_: Any) -> None:
    pass


async def opened(path: Path) -> SqliteDatabase:
    database = SqliteDatabase(path, SystemClock())
    await database.start(ignore)
    return database


@pytest.fixture
async def farm(sqlite_file: Path) -> AsyncIterator[SqliteDatabase]:
    database = await opened(sqlite_file)
    await database.write(add, "before")
    yield database
    await database.close()


async def a_closed_one(path: Path) -> Path:
    database = await opened(path)
    for number in range(200):
        await database.write(add, f"name {number} " + "x" * 200)
    await database.close()
    return path


def damage(path: Path) -> None:
    """Overwrite the middle of a file, as a bad disk does."""
    with path.open("r+b") as file:
        for page in range(2, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)


# -- damage ----------------------------------------------------------------------------------


async def test_a_damaged_file_is_refused_and_the_newest_backup_is_named(sqlite_file: Path) -> None:
    await a_closed_one(sqlite_file)
    database = await opened(sqlite_file)
    backup = await database.back_up(1.0, 3)
    await database.close()
    damage(sqlite_file)
    with pytest.raises(DatabaseError, match="is damaged") as raised:
        await opened(sqlite_file)
    assert f"flamenco db restore {backup}" in str(raised.value)


async def test_a_damaged_file_without_a_backup_says_so(sqlite_file: Path) -> None:
    damage(await a_closed_one(sqlite_file))
    with pytest.raises(DatabaseError, match=r"no automatic backup.*flamenco db restore FILE"):
        await opened(sqlite_file)


async def test_a_big_file_is_only_looked_at_when_it_was_not_closed(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SMALL", 0)
    looked: list[Path] = []
    monkeypatch.setattr(sqlite_backup, "refuse_damage", lambda path, _: looked.append(path))
    await a_closed_one(sqlite_file)
    await (await opened(sqlite_file)).close()
    assert looked == []
    killed = sqlite_file.with_name("killed.sqlite")
    running = await opened(sqlite_file)
    await running.write(add, "in the log only")
    for ending in ("", "-wal"):
        shutil.copy(f"{sqlite_file}{ending}", f"{killed}{ending}")
    await running.close()
    again = await opened(killed)
    assert looked == [killed]
    assert "in the log only" in await again.read(names)
    await again.close()


async def test_a_check_beside_the_work_finds_damage(farm: SqliteDatabase) -> None:
    assert await farm.check() == []
    await farm.close()
    damage(farm.path)
    assert sqlite_backup.damage_in(sqlite_backup.open_read_only(farm.path)) != []


# -- a file in other hands -------------------------------------------------------------------


async def test_a_deleted_file_is_noticed_and_nothing_more_is_written(farm: SqliteDatabase) -> None:
    assert await farm.read(names) == ["before"]
    assert await farm.look() == ""
    farm.path.unlink()
    assert "was deleted while the Manager runs" in await farm.look()
    with pytest.raises(DatabaseError, match=r"deleted.*flamenco db restore"):
        await farm.brief(add, "lost")
    # What can be read still can: it is on the screens of people.
    assert await farm.read(names) == ["before"]
    assert not farm.path.exists()


async def test_a_replaced_file_is_noticed_and_the_very_file_is_welcome(
    farm: SqliteDatabase,
) -> None:
    aside = farm.path.with_name("aside")
    farm.path.rename(aside)
    shutil.copy(aside, farm.path)
    assert "was replaced" in await farm.look()
    with pytest.raises(DatabaseError, match="replaced"):
        await farm.write(add, "lost")
    aside.replace(farm.path)
    assert await farm.look() == ""
    await farm.write(add, "after")
    assert await farm.read(names) == ["after", "before"]


async def test_a_read_only_file_is_noticed(farm: SqliteDatabase) -> None:
    farm.path.chmod(0o444)
    assert "is read-only" in await farm.look()
    with pytest.raises(DatabaseError, match="let the Manager's user write"):
        await farm.write(add, "lost")
    farm.path.chmod(0o600)
    assert await farm.look() == ""


async def test_a_network_file_system_is_refused_with_the_reason(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flamenco_core.manager.store.sqlite_file.file_system_of", lambda _: "nfs4")
    monkeypatch.delenv("FLAMENCO_UNSAFE_FILESYSTEM", raising=False)
    with pytest.raises(DatabaseError, match=r"nfs4.*a disk of this machine, or use PostgreSQL"):
        await opened(sqlite_file)
    assert not sqlite_file.exists()
    monkeypatch.setenv("FLAMENCO_UNSAFE_FILESYSTEM", "1")
    await (await opened(sqlite_file)).close()


async def test_a_log_without_its_file_is_not_thrown_away(sqlite_file: Path) -> None:
    log = sqlite_file.with_name(sqlite_file.name + "-wal")
    log.write_bytes(b"changes of a week")
    with pytest.raises(DatabaseError, match=r"is missing, but its log .* put the file back"):
        await opened(sqlite_file)
    assert log.read_bytes() == b"changes of a week"
    assert not sqlite_file.exists()


# -- the disk --------------------------------------------------------------------------------


def limit_pages(tx: Any, pages: int | None) -> None:
    used = tx._cursor.execute("PRAGMA page_count").fetchone()[0]
    tx._cursor.execute(f"PRAGMA max_page_count={pages or 1_000_000}")
    assert used


async def test_a_full_disk_refuses_writes_and_reads_go_on_and_then_writes_again(
    farm: SqliteDatabase,
) -> None:
    await farm.write(limit_pages, 1)
    with pytest.raises(StorageFull, match="make space"):
        await farm.write(add, "x" * 100_000)
    assert await farm.read(names) == ["before"]
    await farm.write(limit_pages, None)
    await farm.write(add, "after")
    assert await farm.read(names) == ["after", "before"]


class FailsToSync:
    """A cursor of a disk whose fsync fails."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.said: list[str] = []

    def execute(self, text: str, *rest: Any) -> Any:
        self.said.append(text)
        if text == "COMMIT":
            self._cursor.execute("ROLLBACK")
            raise io_error()
        return self._cursor.execute(text, *rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


def io_error() -> Exception:
    error: Exception = dbapi().OperationalError("disk I/O error")
    error.sqlite_errorcode = 10 | 4 << 8  # type: ignore[attr-defined]
    return error


async def test_after_a_failed_fsync_nothing_is_written_any_more(farm: SqliteDatabase) -> None:
    heard: list[str] = []
    farm.on_failed_disk = heard.append
    cursor = farm._writer._cursor = FailsToSync(farm._writer._cursor)
    with pytest.raises(DatabaseError, match="cannot be used: disk I/O error"):
        await farm.write(add, "unknown")
    with pytest.raises(DatabaseError, match="has to be started again"):
        await farm.brief(add, "refused")
    assert len(heard) == 1
    assert "disk's health" in heard[0]
    assert "disk failed" in await farm.look()
    said = len(cursor.said)
    await farm.close()
    # Not even a checkpoint: it would lay on the file what may not be in the log.
    assert len(cursor.said) == said
    farm._writer._connection.close()


async def test_an_io_error_on_a_full_disk_is_not_the_end(
    farm: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "RESERVE", float("inf"))
    assert not farm.has_space()
    whole = farm._writer._cursor
    farm._writer._cursor = FailsToSync(whole)
    with pytest.raises(DatabaseError):
        await farm.write(add, "unknown")
    farm._writer._cursor = whole
    await farm.write(add, "after")
    assert await farm.read(names) == ["after", "before"]


def test_only_a_failed_fsync_is_final() -> None:
    assert is_final(io_error())
    # Some drivers tell no more than that it was an I/O error.
    unsaid = dbapi().OperationalError("disk I/O error")
    unsaid.sqlite_errorcode = 10
    assert is_final(unsaid)
    for code in (10 | 19 << 8, 13, 5, 11):
        error = dbapi().OperationalError("something else")
        error.sqlite_errorcode = code
        assert not is_final(error)
    assert not is_final(None)


def test_a_mistake_in_a_statement_stays_what_it_is() -> None:
    error = dbapi().ProgrammingError("no such table")
    assert in_words(error) is error
    assert in_words(LookupError("x")).args == ("x",)


# -- regular backups -------------------------------------------------------------------------


async def test_a_backup_is_made_when_the_last_is_old_and_the_oldest_goes(
    farm: SqliteDatabase,
) -> None:
    assert await farm.back_up(0.0, 3) == await farm.back_up(60.0, 0) == ""
    made = []
    for number in range(4):
        farm._clock = At(f"2026-04-0{number + 1}T10:00:00Z")
        made.append(Path(await farm.back_up(3600.0, 2)))
        os.utime(made[-1], (farm._clock.now() / 1e6,) * 2)
        assert await farm.back_up(3600.0, 2) == ""
    assert sqlite_backup.backups_of(farm.path) == [made[3], made[2]]
    assert made[3].name == "2026-04-04T10-00-00.sqlite"
    assert made[3].stat().st_mode & 0o777 == 0o600
    copy = await opened(made[3])
    assert await copy.read(names) == ["before"]
    await copy.close()


class At(SystemClock):
    """A clock that shows one time."""

    def __init__(self, time: str) -> None:
        from flamenco_core.clock import from_rfc3339

        self._now = from_rfc3339(time)

    def now(self) -> int:
        return self._now
