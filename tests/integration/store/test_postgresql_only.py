"""What only PostgreSQL can do wrong: connections that break, races that are lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import bindparam, insert, select, update

from flamenco_core.clock import SystemClock
from flamenco_core.errors import Busy
from flamenco_core.manager.store import postgresql
from flamenco_core.manager.store.database import open_database
from flamenco_core.manager.store.postgresql import PostgresDatabase
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import counters
from flamenco_core.manager.store.transaction import Tx

pytestmark = pytest.mark.postgresql

_ADD = Query(insert(counters).values(name=bindparam("given"), value=0))
_VALUE = Query(select(counters.c.value).where(counters.c.name == bindparam("given")))
_GROW = Query(
    update(counters).where(counters.c.name == bindparam("given")).values(value=counters.c.value + 1)
)


def value(tx: Tx, name: str) -> Any:
    return tx.value(_VALUE, given=name)


def grow(tx: Tx, *names: str) -> None:
    for name in names:
        tx.run(_GROW, given=name)


def find_or_add(tx: Tx, name: str) -> str:
    if value(tx, name) is None:
        tx.run(_ADD, given=name)
        return "added"
    return "found"


@pytest.fixture
async def database(postgresql_url: str) -> AsyncIterator[PostgresDatabase]:
    opened = open_database(postgresql_url, SystemClock())
    assert isinstance(opened, PostgresDatabase)
    await opened.start(lambda tx: None)
    yield opened
    await opened.close()


def break_all(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_connections_that_broke_meanwhile_are_made_anew(
    database: PostgresDatabase, postgresql_url: str
) -> None:
    await asyncio.gather(*(database.write(find_or_add, f"n{n}") for n in range(30)))
    await database.read(value, "n1")
    break_all(postgresql_url)
    # The flush may find its connection broken, and then nobody knows: that is told.
    results = await asyncio.gather(
        *(database.write(grow, f"n{n}") for n in range(30)), return_exceptions=True
    )
    assert {type(result) for result in results} <= {type(None), Busy}
    await database.write(grow, "n1")
    assert await database.read(value, "n1") in {1, 2}


async def test_a_connection_that_breaks_in_a_transaction_is_tried_again(
    database: PostgresDatabase,
) -> None:
    tried = []

    def break_first(tx: Tx) -> int:
        find_or_add(tx, "one")
        tried.append(1)
        if len(tried) == 1:
            tx._cursor.connection.close()
        grow(tx, "one")
        return len(tried)

    assert await database.write(break_first) == 2
    assert await database.read(value, "one") == 1


async def test_two_that_wait_for_each_other_both_succeed(database: PostgresDatabase) -> None:
    for name in ("a", "b"):
        await database.write(find_or_add, name)
    both_have_one = threading.Barrier(2)
    tries = []

    def grow_both(tx: Tx, first: str, second: str) -> None:
        tries.append(first)
        grow(tx, first)
        if len(tries) <= 2:
            both_have_one.wait(10)
        grow(tx, second)

    await asyncio.gather(database.write(grow_both, "a", "b"), database.write(grow_both, "b", "a"))
    assert len(tries) >= 3, "one had to try again"
    assert await database.read(value, "a") == await database.read(value, "b") == 2


async def test_of_two_that_add_the_same_one_finds_it(database: PostgresDatabase) -> None:
    for number in range(10):
        name = f"new-{number}"
        results = await asyncio.gather(*(database.write(find_or_add, name) for _ in range(8)))
        assert sorted(results) == ["added"] + ["found"] * 7


async def test_a_race_that_is_lost_for_ever_is_told(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "RETRIES", 3)
    tried = []

    def always_twice(tx: Tx) -> None:
        tried.append(1)
        tx.run(_ADD, given="x")
        tx.run(_ADD, given="x")

    with pytest.raises(postgresql.DatabaseError, match="duplicate key"):
        await database.write(always_twice)
    assert len(tried) == 3
    assert await database.read(value, "x") is None


async def test_two_managers_share_a_database(
    database: PostgresDatabase, postgresql_url: str
) -> None:
    second = open_database(postgresql_url, SystemClock())
    await second.start(lambda tx: None)
    try:
        await database.write(find_or_add, "one")
        both = [database.write(grow, "one") for _ in range(20)]
        both += [second.write(grow, "one") for _ in range(20)]
        await asyncio.gather(*both)
        assert await second.read(value, "one") == 40
    finally:
        await second.close()


async def test_two_managers_can_start_at_once(postgresql_url: str) -> None:
    managers = [open_database(postgresql_url, SystemClock()) for _ in range(3)]
    await asyncio.gather(*(manager.start(lambda tx: None) for manager in managers))
    for manager in managers:
        await manager.write(find_or_add, "one")
        await manager.close()
