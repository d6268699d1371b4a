"""Short transactions, which SQLite runs on the event loop itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from store_steps import ADD, add, add_and_fail, names

from flamenco_core.clock import SystemClock
from flamenco_core.errors import Busy, DatabaseError
from flamenco_core.manager.store import sqlite_writer
from flamenco_core.manager.store.database import Database, open_database
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.transaction import Tx


def thread_of(tx: Tx) -> str:
    return threading.current_thread().name


@pytest.fixture
async def file(sqlite_file: Path, told: Any) -> AsyncIterator[Database]:
    opened = open_database(str(sqlite_file), SystemClock())
    await opened.start(told.deliver)
    yield opened
    await opened.close()


@pytest.fixture
def intruder(file: Database, sqlite_file: Path) -> Iterator[Any]:
    """Another program that holds the file for writing."""
    connection = dbapi().connect(sqlite_file, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


async def test_it_is_returned_read_and_told(database: Database, told: Any) -> None:
    assert await database.brief(add, "one") == "ONE"
    assert await database.read(names) == ["one"]
    assert told.names == ["one"]


async def test_what_raises_leaves_nothing_and_is_raised(database: Database, told: Any) -> None:
    with pytest.raises(LookupError, match="one"):
        await database.brief(add_and_fail, "one")
    assert await database.brief(add, "two") == "TWO"
    assert await database.read(names) == ["two"]
    assert told.names == ["two"]


async def test_among_many_of_both_kinds_only_what_raises_is_undone(
    database: Database, told: Any
) -> None:
    writes = [
        (database.brief if number % 5 else database.write)(
            add_and_fail if number % 3 == 0 else add, f"{number:03}"
        )
        for number in range(200)
    ]
    results = await asyncio.gather(*writes, return_exceptions=True)
    good = [f"{number:03}" for number in range(200) if number % 3]
    assert await database.read(names) == good
    assert sorted(told.names) == good
    assert [r for r in results if isinstance(r, str)] == good


async def test_both_kinds_are_done_in_the_order_asked(file: Database, told: Any) -> None:
    asked = [f"{number:03}" for number in range(50)]
    await asyncio.gather(
        *(
            (file.brief if number % 3 else file.write)(add, name)
            for number, name in enumerate(asked)
        )
    )
    assert told.names == asked


async def test_a_short_one_runs_here_a_long_one_in_a_thread(file: Database) -> None:
    assert await file.brief(thread_of) == threading.current_thread().name
    assert await file.write(thread_of) == "flamenco-write"


async def test_a_file_held_by_another_program_does_not_hold_up_the_loop(
    file: Database, intruder: Any
) -> None:
    waiting = asyncio.create_task(file.brief(add, "one"))
    # The loop goes on: a read is answered while the write waits.
    assert await file.read(names) == []
    assert not waiting.done()
    intruder.execute("ROLLBACK")
    assert await waiting == "ONE"


async def test_who_waits_too_long_for_another_program_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch, file: Database, intruder: Any
) -> None:
    monkeypatch.setattr(sqlite_writer, "PATIENCE", 0.05)
    with pytest.raises(Busy, match="another program holds the database"):
        await file.brief(add, "one")
    intruder.execute("ROLLBACK")
    await file.brief(add, "two")
    assert await file.read(names) == ["two"]


async def test_a_full_disk_stores_nothing_of_the_group(file: Database, told: Any) -> None:
    def fill_up(tx: Tx) -> None:
        pages = tx._cursor.execute("PRAGMA page_count").fetchone()[0]
        tx._cursor.execute(f"PRAGMA max_page_count={pages + 1}")
        for number in range(10):
            tx.run(ADD, given=f"{number}" * 3000)

    one, filled, two = await asyncio.gather(
        file.brief(add, "one"), file.brief(fill_up), file.brief(add, "two"), return_exceptions=True
    )
    assert isinstance(filled, DatabaseError)
    # The disk may end the whole transaction or only this part: what is stored is what
    # was answered and told, nothing else.
    answered = [result.lower() for result in (one, two) if isinstance(result, str)]
    assert await file.read(names) == answered == told.names


async def test_closing_commits_what_is_queued(file: Database, sqlite_file: Path) -> None:
    writes = [asyncio.create_task(file.brief(add, f"{number:03}")) for number in range(150)]
    await asyncio.sleep(0)
    await file.close()
    assert len(await asyncio.gather(*writes)) == 150
    again = open_database(str(sqlite_file), SystemClock())
    await again.start(lambda tx: None)
    try:
        assert len(await again.read(names)) == 150
    finally:
        await again.close()
