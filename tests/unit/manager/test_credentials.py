from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from flamenco_core.domain.events import WorkerDeleted, WorkerFacts, WorkerSecretChanged
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.manager.credentials import FRESH, Credentials

ALFA = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


def a_row(**changes: Any) -> SimpleNamespace:
    given = {"name": "alfa", "secret_hash": "s", "is_removed": False, "is_pending": None}
    return SimpleNamespace(**{**given, **changes})


def fits(row: Any) -> bool:
    return bool(row.secret_hash == "s")


class Rows:
    """A database with one table, and a gate that holds answers back."""

    def __init__(self, dialect: str = "sqlite") -> None:
        self.dialect = dialect
        self.rows: dict[str, Any] = {}
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, _: Any, worker: str) -> Any:
        self.reads += 1
        row = self.rows.get(worker)
        await self.gate.wait()
        return row


def gone(worker: str) -> WorkerDeleted:
    return WorkerDeleted(facts(worker))


def facts(worker: str) -> WorkerFacts:
    return WorkerFacts(
        id=worker,
        name="alfa",
        status=WorkerStatus.AWAKE,
        updated=0,
        version="",
        can_restart=False,
    )


async def test_a_worker_is_looked_up_once(clock) -> None:
    rows = Rows()
    rows.rows[ALFA] = a_row()
    credentials = Credentials(rows, clock)
    for _ in range(3):
        assert (await credentials.of(ALFA, fits)).name == "alfa"
    assert rows.reads == 1


async def test_an_unknown_one_each_time(clock) -> None:
    rows = Rows()
    credentials = Credentials(rows, clock)
    assert await credentials.of(ALFA, fits) is None
    rows.rows[ALFA] = a_row()
    assert (await credentials.of(ALFA, fits)).name == "alfa"


async def test_a_deleted_one_is_forgotten(clock) -> None:
    rows = Rows()
    rows.rows[ALFA] = a_row()
    credentials = Credentials(rows, clock)
    await credentials.of(ALFA, fits)
    rows.rows.clear()
    credentials.forget_deleted([gone(ALFA)])
    assert await credentials.of(ALFA, fits) is None


async def test_one_deleted_while_it_was_looked_up_is_not_remembered(clock) -> None:
    rows = Rows()
    rows.rows[ALFA] = a_row()
    credentials = Credentials(rows, clock)
    rows.gate.clear()
    asked = asyncio.create_task(credentials.of(ALFA, fits))
    await asyncio.sleep(0)
    rows.rows.clear()
    credentials.forget_deleted([gone(ALFA)])
    rows.gate.set()
    await asked
    assert await credentials.of(ALFA, fits) is None


@pytest.mark.parametrize(("dialect", "reads"), [("sqlite", 1), ("postgresql", 2)])
async def test_a_shared_database_is_asked_again_soon(clock, dialect: str, reads: int) -> None:
    rows = Rows(dialect)
    rows.rows[ALFA] = a_row()
    credentials = Credentials(rows, clock)
    await credentials.of(ALFA, fits)
    await clock.advance(FRESH - 0.1)
    await credentials.of(ALFA, fits)
    assert rows.reads == 1
    await clock.advance(0.2)
    await credentials.of(ALFA, fits)
    assert rows.reads == reads


async def test_one_that_the_farm_has_given_up_is_asked_for_again(clock) -> None:
    rows = Rows()
    rows.rows[ALFA] = a_row(is_removed=True)
    credentials = Credentials(rows, clock)
    assert (await credentials.of(ALFA, fits)).is_removed
    rows.rows[ALFA] = a_row()
    assert not (await credentials.of(ALFA, fits)).is_removed


async def test_one_that_waits_for_approval_is_asked_for_each_time(clock) -> None:
    rows = Rows()
    rows.rows[ALFA] = a_row(is_pending=1)
    credentials = Credentials(rows, clock)
    assert (await credentials.of(ALFA, fits)).is_pending
    rows.rows[ALFA] = a_row()
    assert not (await credentials.of(ALFA, fits)).is_pending


async def test_one_with_another_secret_is_looked_up_again(clock) -> None:
    rows = Rows()
    rows.rows[ALFA] = a_row()
    credentials = Credentials(rows, clock)
    await credentials.of(ALFA, fits)
    credentials.forget_deleted([WorkerSecretChanged(facts(ALFA))])
    await credentials.of(ALFA, fits)
    assert rows.reads == 2


async def test_a_secret_that_does_not_fit_may_be_newer_than_what_is_remembered(clock) -> None:
    rows = Rows("postgresql")
    rows.rows[ALFA] = a_row(secret_hash="former")
    credentials = Credentials(rows, clock)
    assert (await credentials.of(ALFA, lambda row: True)).secret_hash == "former"
    # Another Manager has taken in the change; its news of that is still on the way.
    rows.rows[ALFA] = a_row()
    assert (await credentials.of(ALFA, fits)).secret_hash == "s"
    assert (await credentials.of(ALFA, fits)).secret_hash == "s"
    assert rows.reads == 2
