"""Opening a database: addresses, versions, migrations."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from flamenco_core.clock import SystemClock
from flamenco_core.errors import Busy, DatabaseError
from flamenco_core.manager.store import migrate, sqlite_writer
from flamenco_core.manager.store.contact_tables import contacts
from flamenco_core.manager.store.database import Database, open_database
from flamenco_core.manager.store.sqlite import SqliteDatabase
from flamenco_core.manager.store.sqlite_library import check_version, dbapi


async def opened(url: str) -> Database:
    database = open_database(url, SystemClock())
    await database.start(lambda tx: None)
    return database


async def open_and_close(url: str) -> None:
    await (await opened(url)).close()


def engine_of(url: str) -> Any:
    if url.startswith("postgresql"):
        return create_engine(url)
    return create_engine(f"sqlite:///{url}", module=dbapi())


# -- addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("farm.sqlite", "farm.sqlite"),
        ("sub folder/farm #1?.sqlite", "sub folder/farm #1?.sqlite"),
        ("sqlite:///farm.sqlite", "farm.sqlite"),
    ],
)
async def test_a_file_is_found_however_it_is_written(
    address: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await open_and_close(address)
    assert (tmp_path / path).is_file()


async def test_an_absolute_address_is_absolute(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'farm'}", SystemClock())
    assert isinstance(database, SqliteDatabase)
    assert database.path == tmp_path / "farm"


@pytest.mark.parametrize("address", ["", "mysql://me:secret@host/farm", "file:///farm", "x://y"])
def test_another_kind_of_database_is_refused_without_telling_passwords(address: str) -> None:
    with pytest.raises(DatabaseError, match="a file for SQLite, or postgresql") as raised:
        open_database(address, SystemClock())
    assert "secret" not in str(raised.value)


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseError, match="cannot use") as raised:
        await opened("postgresql://me:secret@127.0.0.1:1/farm")
    assert "127.0.0.1:1" in str(raised.value)
    assert "secret" not in str(raised.value)


# -- SQLite's version ------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 50, 4), (3, 51, 1), (3, 51, 2)])
def test_a_sqlite_that_can_corrupt_its_file_is_refused(
    version: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLAMENCO_UNSAFE_SQLITE", raising=False)
    with pytest.raises(DatabaseError, match=r"can corrupt .*pip install .*or use PostgreSQL"):
        check_version(version)
    monkeypatch.setenv("FLAMENCO_UNSAFE_SQLITE", "1")
    check_version(version)


@pytest.mark.parametrize("version", [(3, 51, 3), (3, 52, 0), (4, 0, 0)])
def test_a_fixed_sqlite_is_used(version: tuple[int, ...]) -> None:
    check_version(version)


def test_the_sqlite_in_use_is_a_fixed_one() -> None:
    check_version(dbapi().sqlite_version_info)


async def test_what_is_answered_is_on_disk(sqlite_file: Path) -> None:
    database = SqliteDatabase(sqlite_file, SystemClock())

    def settings(tx: Any) -> dict[str, Any]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return {n: tx._cursor.execute(f"PRAGMA {n}").fetchone()[0] for n in names}

    await database.start(lambda tx: None)
    try:
        found = await database.write(settings)
    finally:
        await database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    # A clean stop leaves one file, that can be copied.
    assert not sqlite_file.with_name("farm.sqlite-wal").exists()


# -- migrations ------------------------------------------------------------------------------


async def test_the_migrations_make_the_tables_of_the_program(url: str) -> None:
    await open_and_close(url)
    engine = engine_of(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, contacts.metadata)
        # SQLite's size-less integers, and what it says of an index on expressions.
        assert [d for d in differences if d[0] != "modify_type"] == []
    engine.dispose()


def old_revision(url: str) -> None:
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    engine.dispose()


async def test_a_database_of_a_newer_program_is_refused(url: str) -> None:
    await open_and_close(url)
    old_revision(url)
    with pytest.raises(DatabaseError, match=r"schema 'from-the-future'.* use the newer Flamenco"):
        await opened(url)


@pytest.fixture
def next_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the program one more migration; the file may be written anew."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for source in [*migrate._FOLDER.glob("*.*"), *migrate._FOLDER.glob("versions/*.py")]:
        (folder / source.relative_to(migrate._FOLDER)).write_bytes(source.read_bytes())
    monkeypatch.setattr(migrate, "_FOLDER", folder)
    return folder / "versions" / "9999_more.py"


def newest() -> str:
    """Return the newest revision of the program itself."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    return str(ScriptDirectory.from_config(config).get_current_head())


MIGRATION = """
from alembic import op
import builtins
revision, down_revision, branch_labels, depends_on = "9999", "{newest}", None, None
def upgrade():
    op.execute("CREATE TABLE extra (id INTEGER)")
    op.execute("INSERT INTO counters (name, value) VALUES ('extra', 1)")
    {end}
"""


def migration(end: str) -> str:
    return MIGRATION.format(end=end, newest=newest())


def tables_of(url: str) -> set[str]:
    engine = engine_of(url)
    with engine.connect() as connection:
        names = set(engine.dialect.get_table_names(connection))
    engine.dispose()
    return names


async def test_a_migration_that_breaks_off_leaves_the_old_schema(
    url: str, next_migration: Path
) -> None:
    await open_and_close(url)
    next_migration.write_text(migration("raise KeyboardInterrupt('killed')"))
    with pytest.raises(KeyboardInterrupt):
        await opened(url)
    assert "extra" not in tables_of(url)
    # The next start finishes it.
    next_migration.write_text(migration("pass"))
    await open_and_close(url)
    assert "extra" in tables_of(url)


async def test_before_a_migration_the_file_is_copied(
    sqlite_file: Path, next_migration: Path
) -> None:
    await open_and_close(str(sqlite_file))
    next_migration.write_text(migration("pass"))
    copy = sqlite_file.with_name(f"farm.sqlite.before-migration-from-{newest()}")
    copy.write_text("left over from an attempt that was killed")
    await open_and_close(str(sqlite_file))
    assert "extra" in tables_of(str(sqlite_file))
    assert "extra" not in tables_of(str(copy))
    assert "tasks" in tables_of(str(copy))
    # And the copy is a database that can be used, by the program that it is of.
    next_migration.unlink()
    await open_and_close(str(copy))


async def test_a_first_start_copies_nothing(sqlite_file: Path) -> None:
    await open_and_close(str(sqlite_file))
    assert {p.name for p in sqlite_file.parent.iterdir()} == {"farm.sqlite", "farm.sqlite.lock"}


# -- files that are none ---------------------------------------------------------------------


async def test_a_file_that_is_no_database_is_left_alone(sqlite_file: Path) -> None:
    sqlite_file.write_text("a shopping list, longer than a header\n" * 100)
    before = sqlite_file.read_bytes()
    with pytest.raises(DatabaseError, match=r"farm.sqlite is damaged.*flamenco db restore"):
        await opened(str(sqlite_file))
    assert sqlite_file.read_bytes() == before


async def test_a_database_of_somebody_else_is_refused(sqlite_file: Path) -> None:
    other = sqlite3.connect(sqlite_file)
    other.execute("CREATE TABLE jobs (id INTEGER)")
    other.commit()
    other.close()
    before = sqlite_file.read_bytes()
    with pytest.raises(DatabaseError, match=r"another program's.*set another 'database:'"):
        await opened(str(sqlite_file))
    assert sqlite_file.read_bytes() == before


async def test_one_manager_for_each_file(sqlite_file: Path) -> None:
    first = await opened(str(sqlite_file))
    try:
        with pytest.raises(DatabaseError, match=r"another Manager uses .*farm.sqlite; stop it"):
            await opened(str(sqlite_file))
    finally:
        await first.close()
    await open_and_close(str(sqlite_file))


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match=r"cannot use the database .*farm"):
        await opened(str(tmp_path / "file" / "farm"))


async def test_after_a_refusal_the_file_is_free_again(sqlite_file: Path) -> None:
    sqlite_file.write_text("no database at all, whatever it says here\n" * 100)
    with pytest.raises(DatabaseError):
        await opened(str(sqlite_file))
    sqlite_file.unlink()
    await open_and_close(str(sqlite_file))


async def test_while_another_program_holds_the_file_writes_are_told_to_come_back(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "PATIENCE", 0.01)
    database = SqliteDatabase(sqlite_file, SystemClock())
    await database.start(lambda tx: None)
    other = dbapi().connect(str(sqlite_file), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy, match="another program holds the database"):
        await database.write(lambda tx: None)
    # It is free again: the same Manager goes on.
    other.execute("ROLLBACK")
    other.close()
    assert await database.write(lambda tx: "done") == "done"
    await database.close()
