"""When workers were heard of, by the database's clock."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from flamenco_core.clock import new_id
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.manager.store.contact_tables import contacts
from flamenco_core.manager.store.contacts import (
    Contact,
    Silent,
    expect,
    find_silent,
    is_silent,
    keep_contacts,
)
from flamenco_core.manager.store.database import Database
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.usecases import workers
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.silence import give_up_silent

SECOND = 1_000_000
_ALL = Query(select(contacts))
_SHIFT_BACK = Query(update(contacts).values(heard_at=contacts.c.heard_at - 86_400 * SECOND))
_SHIFT_FORTH = Query(update(contacts).values(heard_at=contacts.c.heard_at + 86_400 * SECOND))


@pytest.fixture
async def worker(database: Database) -> str:
    return await join(database)


async def join(database: Database) -> str:
    worker = new_id()
    new = workers.Registration(
        uuid=worker, secret_hash="", name="w", address="", platform="linux", task_types=["misc"]
    )
    await database.write(workers.register_worker, new)
    await database.write(workers.state_changed, worker, WorkerStatus.AWAKE, Rules())
    return worker


async def heard(database: Database, worker: str, age: float, patience: float = 20) -> None:
    contact = Contact(worker=worker, age=round(age * SECOND), patience=round(patience * SECOND))
    await database.write(keep_contacts, [contact])


async def found(database: Database, margin: int = 0) -> Silent:
    return await database.read(find_silent, margin)


async def test_a_worker_is_silent_when_its_patience_is_over(
    database: Database, worker: str
) -> None:
    await heard(database, worker, 19)
    assert (await found(database)).overdue == {}
    await heard(database, worker, 21)
    (silence,) = (await found(database)).overdue.values()
    assert silence.patience == 20 * SECOND
    assert 21 * SECOND <= silence.lasts < 31 * SECOND
    assert (await found(database, margin=5 * SECOND)).overdue == {}


async def test_who_was_never_heard_of_is_unknown_until_it_is_expected(
    database: Database, worker: str
) -> None:
    assert (await found(database)).unknown == [worker]
    await database.write(expect, [worker], 70 * SECOND)
    silent = await found(database)
    assert (silent.unknown, silent.overdue) == ([], {})


async def test_to_expect_a_worker_takes_nothing_from_what_is_known(
    database: Database, worker: str
) -> None:
    await heard(database, worker, 15)
    await database.write(expect, [worker], 70 * SECOND)
    (row,) = await database.read(lambda tx: tx.all(_ALL))
    assert row.patience == 20 * SECOND
    await heard(database, worker, -100)
    await database.write(expect, [worker], 70 * SECOND)
    (row,) = await database.read(lambda tx: tx.all(_ALL))
    assert row.patience == 70 * SECOND
    assert (await found(database)).unknown == []


async def test_who_should_not_be_there_is_not_missed(database: Database, worker: str) -> None:
    other = await join(database)
    for name in (worker, other):
        await heard(database, name, 100)
    await database.write(workers.sign_off, worker, Rules())
    await database.write(workers.delete_worker, other, Rules())
    silent = await found(database)
    assert (silent.unknown, silent.overdue) == ([], {})


async def test_deleted_and_unknown_workers_are_left_out(database: Database, worker: str) -> None:
    await database.write(workers.delete_worker, worker, Rules())
    await database.write(expect, [worker, new_id()], SECOND)
    assert await database.read(lambda tx: tx.all(_ALL)) == []


async def test_a_contact_is_one_row(database: Database, worker: str) -> None:
    for age in (3, 2, 1):
        await heard(database, worker, age)
    assert len(await database.read(lambda tx: tx.all(_ALL))) == 1


async def test_a_clock_that_was_set_back_keeps_nobody_for_long(
    database: Database, worker: str
) -> None:
    await heard(database, worker, 0)
    await database.write(lambda tx: tx.run(_SHIFT_FORTH))
    silent = await found(database)
    assert (silent.unknown, silent.overdue) == ([worker], {})


async def test_one_that_was_set_forth_makes_all_overdue(database: Database, worker: str) -> None:
    # That is why whoever decides compares the database's clock with its own.
    await heard(database, worker, 0)
    await database.write(lambda tx: tx.run(_SHIFT_BACK))
    assert [*(await found(database)).overdue] == [worker]


async def test_only_who_is_silent_still_is_given_up(database: Database, worker: str) -> None:
    async def status() -> Any:
        rows = await database.read(workers.expected_workers)
        return worker in rows

    assert not await database.write(is_silent, worker, 0)
    await heard(database, worker, 19)
    assert not await database.write(give_up_silent, worker, 0, Rules())
    assert await status()
    await heard(database, worker, 21)
    assert not await database.write(give_up_silent, worker, 5 * SECOND, Rules())
    assert await database.write(give_up_silent, worker, 0, Rules())
    assert not await status()
    assert not await database.write(give_up_silent, new_id(), 0, Rules())


async def test_many_that_store_the_same_at_once_do_not_disturb_each_other(
    database: Database,
) -> None:
    import asyncio

    names = [await join(database) for _ in range(5)]
    given = [Contact(worker=name, age=0, patience=SECOND) for name in names]
    orders = [given, given[::-1]] * 5
    await asyncio.gather(*(database.write(keep_contacts, order) for order in orders))
    assert len(await database.read(lambda tx: tx.all(_ALL))) == 5
