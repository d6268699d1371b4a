"""What both databases promise about transactions."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from store_steps import add, add_and_fail, names

from flamenco_core.clock import SystemClock
from flamenco_core.errors import Busy, DatabaseError
from flamenco_core.manager.store import postgresql, sqlite_writer
from flamenco_core.manager.store.database import Database, open_database
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import counters
from flamenco_core.manager.store.transaction import Tx


async def test_what_was_written_is_returned_read_and_told(database: Database, told: Any) -> None:
    assert await database.write(add, "one") == "ONE"
    assert await database.read(names) == ["one"]
    assert told.names == ["one"]


async def test_what_raises_leaves_nothing_and_is_raised(database: Database, told: Any) -> None:
    with pytest.raises(LookupError, match="one"):
        await database.write(add_and_fail, "one")
    assert await database.read(names) == []
    assert told.names == []


async def test_among_many_only_what_raises_is_undone(database: Database, told: Any) -> None:
    writes = [
        database.write(add_and_fail if number % 3 == 0 else add, f"{number:03}")
        for number in range(200)
    ]
    results = await asyncio.gather(*writes, return_exceptions=True)
    good = [f"{number:03}" for number in range(200) if number % 3]
    assert await database.read(names) == good
    assert sorted(told.names) == good
    assert [r for r in results if isinstance(r, str)] == good
    assert sum(isinstance(r, LookupError) for r in results) == 67


_COUNT = Query(
    update(counters)
    .where(counters.c.name == "jobs")
    .values(value=counters.c.value + 1)
    .returning(counters.c.value)
)


def count(tx: Tx) -> int:
    value: int = tx.value(_COUNT)
    add(tx, f"{value + 1000}")
    return value


async def test_what_builds_on_another_is_told_after_it(database: Database, told: Any) -> None:
    values = await asyncio.gather(*(database.write(count) for _ in range(300)))
    assert sorted(values) == list(range(1, 301))
    assert told.names == [str(value + 1000) for value in range(1, 301)]


async def test_an_answer_comes_after_its_events(database: Database, told: Any) -> None:
    for number in range(20):
        await database.write(add, f"{number:02}")
        assert told.names[-1] == f"{number:02}"


async def test_events_are_told_on_the_event_loop(database: Database, told: Any) -> None:
    threads = []
    told.then = lambda: threads.append(threading.current_thread())
    await database.write(add, "one")
    assert threads == [threading.current_thread()]


async def test_a_listener_that_raises_takes_no_answer_away(database: Database, told: Any) -> None:
    def fail() -> None:
        raise RuntimeError("a listener of no use")

    told.then = fail
    assert await asyncio.gather(*(database.write(add, f"{n:02}") for n in range(20)))
    assert len(await database.read(names)) == 20


async def test_who_goes_away_while_it_waits_changes_nothing(database: Database, told: Any) -> None:
    started, go_on, both = threading.Event(), threading.Event(), asyncio.Event()
    told.then = lambda: both.set() if len(told.names) == 2 else None

    def wait(tx: Tx) -> None:
        started.set()
        assert go_on.wait(10)
        add(tx, "one")

    waiting = asyncio.create_task(database.write(wait))
    await asyncio.to_thread(started.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    await database.write(add, "two")
    # With several writers at a time the first may commit last.
    await both.wait()
    assert await database.read(names) == sorted(told.names) == ["one", "two"]


async def test_one_transaction_has_one_moment(database: Database) -> None:
    def moments(tx: Tx) -> bool:
        before = tx.now
        add(tx, "one")
        return tx.now == before

    assert await database.write(moments)


async def test_a_reader_cannot_write(database: Database, told: Any) -> None:
    with pytest.raises(DatabaseError):
        await database.read(add, "one")
    # And neither reads nor writes suffer from the attempt.
    assert await database.read(names) == []
    await database.write(add, "two")
    assert told.names == ["two"]


async def test_a_reader_sees_one_state(database: Database) -> None:
    loop = asyncio.get_running_loop()

    def look_twice(tx: Tx) -> tuple[list[str], list[str]]:
        before = names(tx)
        asyncio.run_coroutine_threadsafe(database.write(add, "one"), loop).result(10)
        return before, names(tx)

    assert await database.read(look_twice) == ([], [])
    assert await database.read(names) == ["one"]


async def test_what_a_reader_raises_is_raised(database: Database) -> None:
    def fail(tx: Tx) -> None:
        raise LookupError("one")

    with pytest.raises(LookupError, match="one"):
        await database.read(fail)
    assert await database.read(names) == []


async def test_a_wrong_statement_is_a_database_error(database: Database) -> None:
    def ask(tx: Tx) -> None:
        tx._cursor.execute("SELECT 1 FROM nowhere")

    with pytest.raises(DatabaseError, match="nowhere"):
        await database.write(ask)
    with pytest.raises(DatabaseError, match="nowhere"):
        await database.read(ask)
    assert await database.write(add, "one")


# -- the end ---------------------------------------------------------------------------------


async def test_close_finishes_what_was_begun(database: Database, told: Any) -> None:
    writes = [asyncio.create_task(database.write(add, f"{n:03}")) for n in range(150)]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*writes)
    assert len(told.names) == 150


async def test_a_closed_database_says_so(database: Database) -> None:
    await database.close()
    with pytest.raises(DatabaseError, match="not open"):
        await database.write(add, "one")
    with pytest.raises(DatabaseError, match="not open"):
        await database.read(names)


async def test_it_can_be_closed_twice_and_before_it_was_started(url: str) -> None:
    database = open_database(url, SystemClock())
    await database.close()
    await database.start(lambda tx: None)
    await database.close()
    await database.close()


async def test_what_was_answered_is_there_when_it_is_opened_again(
    database: Database, url: str
) -> None:
    await database.write(add, "one")
    await database.close()
    again = open_database(url, SystemClock())
    await again.start(lambda tx: None)
    try:
        assert await again.read(names) == ["one"]
    finally:
        await again.close()


# -- overload --------------------------------------------------------------------------------


@pytest.fixture
def short_queue(monkeypatch: pytest.MonkeyPatch) -> int:
    # Before `database`, which takes the length of its queue when it is made.
    monkeypatch.setattr(sqlite_writer, "MAX_QUEUED", 3)
    monkeypatch.setattr(postgresql, "MAX_QUEUED", 3)
    monkeypatch.setattr(postgresql, "WRITERS", 1)
    return 3


async def test_too_many_at_once_are_told_to_come_back(
    short_queue: int, database: Database, told: Any
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def wait(tx: Tx) -> None:
        started.set()
        assert go_on.wait(10)

    first = asyncio.create_task(database.write(wait))
    await asyncio.to_thread(started.wait)
    # PostgreSQL counts the one at work, SQLite does not.
    waiting = [asyncio.create_task(database.write(add, f"{n}")) for n in range(short_queue + 1)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await database.write(add, "late")
    go_on.set()
    await first
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(result, str) for result in results) >= short_queue - 1
    # And afterwards all is well.
    await database.write(add, "later")
    assert "late" not in await database.read(names)


async def test_only_one_manager_opens_a_file(sqlite_file: Path) -> None:
    first = open_database(str(sqlite_file), SystemClock())
    await first.start(lambda tx: None)
    second = open_database(str(sqlite_file), SystemClock())
    try:
        with pytest.raises(DatabaseError, match=r"another Manager uses .*farm\.sqlite; stop it"):
            await second.start(lambda tx: None)
        # The first one is not disturbed.
        await first.write(add, "one")
    finally:
        await first.close()
    await second.start(lambda tx: None)
    await second.close()
