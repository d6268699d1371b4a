"""A Manager that is frozen: others do what it should, and it does nothing twice."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from several_steps import Managers, cut_lines, sql, until
from sqlalchemy import bindparam, insert, select

from flamenco_core.clock import SystemClock
from flamenco_core.errors import DutyLost
from flamenco_core.manager.store import postgresql_line, postgresql_session
from flamenco_core.manager.store.postgresql import PostgresDatabase
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import counters
from flamenco_core.manager.store.transaction import Tx

pytestmark = pytest.mark.postgresql

_ADD = Query(insert(counters).values(name=bindparam("given"), value=0))
_ALL = Query(select(counters.c.name))


def add(tx: Tx, name: str) -> None:
    tx.run(_ADD, given=name)


def names(tx: Tx) -> set[str]:
    return {row.name for row in tx.all(_ALL)}


class Deaf:
    """Ears that hear nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *told: b""


@pytest.fixture
async def opened(postgresql_url: str) -> AsyncIterator[list[PostgresDatabase]]:
    """Two databases as two Managers have them; the first one's line is open."""
    both = [PostgresDatabase(postgresql_url, SystemClock()) for _ in range(2)]
    for database in both:
        await database.start(lambda tx: None)
    await both[0].line.start(Deaf())
    yield both
    for database in both:
        await database.line.close()
        await database.close()


@pytest.fixture
async def alfa(opened: list[PostgresDatabase]) -> PostgresDatabase:
    await opened[0].line.taken("guard")
    return opened[0]


@pytest.fixture
async def beta(opened: list[PostgresDatabase]) -> PostgresDatabase:
    return opened[1]


async def take_over(beta: PostgresDatabase, url: str) -> None:
    """Let the other one have the duty, as after a freeze."""
    taken = asyncio.create_task(beta.line.taken("guard"))
    # Its line was closed until now: there is one session only, and that is the first one's.
    cut_lines(url)
    await beta.line.start(Deaf())
    await asyncio.wait_for(taken, 10)


# -- the fence


async def test_what_belongs_to_a_duty_is_done_while_it_lasts(alfa: PostgresDatabase) -> None:
    with alfa.line.doing("guard"):
        await alfa.write(add, "x")
        assert await alfa.read(names) >= {"x"}


async def test_who_has_lost_a_duty_can_do_nothing_of_it(
    alfa: PostgresDatabase, beta: PostgresDatabase, postgresql_url: str
) -> None:
    with alfa.line.doing("guard"):
        await take_over(beta, postgresql_url)
        with pytest.raises(DutyLost, match="another Manager has the duty 'guard' now"):
            await alfa.write(add, "x")
        with pytest.raises(DutyLost):
            await alfa.read(names)
    # The rest of it goes on as always.
    await alfa.write(add, "y")
    assert await alfa.read(names) & {"x", "y"} == {"y"}
    with beta.line.doing("guard"):
        await beta.write(add, "z")


async def test_who_never_had_a_duty_can_do_nothing_of_it(alfa: PostgresDatabase) -> None:
    with alfa.line.doing("another"), pytest.raises(DutyLost):
        await alfa.write(add, "x")


async def test_a_duty_that_one_has_again_is_another_one(
    alfa: PostgresDatabase, postgresql_url: str
) -> None:
    with alfa.line.doing("guard"):
        cut_lines(postgresql_url)
        await asyncio.wait_for(alfa.line.lost("guard"), 10)
        await asyncio.wait_for(alfa.line.taken("guard"), 10)
        # Others may have had it in between, and what was read before is old.
        with pytest.raises(DutyLost):
            await alfa.write(add, "x")
    with alfa.line.doing("guard"):
        await alfa.write(add, "y")


async def test_a_duty_is_taken_over_after_the_last_transaction_of_the_one_before(
    alfa: PostgresDatabase, beta: PostgresDatabase, postgresql_url: str
) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def add_slowly(tx: Tx) -> None:
        inside.set()
        assert go_on.wait(10)
        add(tx, "x")

    with alfa.line.doing("guard"):
        last = asyncio.create_task(alfa.write(add_slowly))
        assert await asyncio.to_thread(inside.wait, 10)
    cut_lines(postgresql_url)
    await beta.line.start(Deaf())
    taken = asyncio.create_task(beta.line.taken("guard"))
    held = (
        "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
        f" AND classid = {postgresql_session.DUTY} AND datname = current_database()"
    )
    await until(lambda: sql(postgresql_url, held))
    # The lock it has; what it does not have yet is the duty.
    await asyncio.sleep(2.5 * postgresql_line.TICK)
    assert not taken.done()
    go_on.set()
    await last
    await asyncio.wait_for(taken, 10)
    assert await beta.read(names) >= {"x"}


class Noting(Deaf):
    """Ears that note that another Manager has gone."""

    def __init__(self) -> None:
        self.has_left = False

    def left(self) -> None:
        self.has_left = True


async def test_who_takes_over_knows_before_that_a_manager_has_gone(
    alfa: PostgresDatabase, beta: PostgresDatabase, postgresql_url: str, monkeypatch: Any
) -> None:
    # Its workers get time to call another one: also if their time-out is over already, and
    # the duty is free between two looks at who is there.
    monkeypatch.setattr(postgresql_line, "TICK", 60.0)
    ears = Noting()
    await beta.line.start(ears)
    taken = asyncio.create_task(beta.line.taken("guard"))
    held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    held += " AND application_name = 'flamenco line'"
    await until(lambda: sql(postgresql_url, held) == [(2,)])
    await asyncio.sleep(0.2)
    assert not ears.has_left
    # Without a goodbye, and it does not come back.
    alfa.line._closing.set()  # type: ignore[attr-defined]
    process, _ = alfa.line._session  # type: ignore[attr-defined]
    sql(postgresql_url, "SELECT pg_terminate_backend(%s)", process)
    async with asyncio.timeout(10):
        while not taken.done():
            # Something is said all the time on a busy farm: it asks for duties each time.
            beta.line._ring()  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
    assert ears.has_left


# -- a real process, really frozen

GUARD = """
import asyncio, os, signal, sys
from flamenco_core.clock import SystemClock
from flamenco_core.manager.store import postgresql
from flamenco_core.manager.store.postgresql import PostgresDatabase
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import counters
from flamenco_core.offers import Service
from flamenco_core.supervisor import Supervisor
from sqlalchemy import bindparam, update

GROW = Query(update(counters).where(counters.c.name == bindparam("given"))
    .values(value=counters.c.value + 1))

class Deaf:
    def __getattr__(self, name):
        return lambda *told: b""

# It may be frozen in the middle of a transaction.
postgresql.SETTINGS = postgresql.SETTINGS.replace("'20s'", "'1s'")

class Freezing(PostgresDatabase):
    "Stops itself at the worst moment: all is done, and the COMMIT is not sent."
    commits = 0

    def _commit_now(self, cursor):
        self.commits += 1
        if self.commits == 20:
            os.kill(os.getpid(), signal.SIGSTOP)
        super()._commit_now(cursor)

async def main():
    clock = SystemClock()
    kind = Freezing if sys.argv[2] == "at a commit" else PostgresDatabase
    database = kind(sys.argv[1], clock)
    await database.start(lambda tx: None)
    await database.line.start(Deaf())
    async def run():
        while True:
            await database.write(lambda tx: tx.run(GROW, given="rounds"))
            print("round", flush=True)  # 6 bytes; a pipe takes 10,000 of them unread
    service = Service(name="guard", run=run, once_per_farm=True)
    await Supervisor([service], clock=clock, duties=database.line).run()

asyncio.run(main())
"""


@pytest.fixture
def frozen_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_session, "FROZEN", 1.5)


@pytest.fixture
def guard(managers: Managers, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", GUARD, managers.url, request.param]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def rounds(url: str) -> int:
    ((count,),) = sql(url, "SELECT value FROM counters WHERE name = 'rounds'")
    return int(count)


async def line_of(pipe: IO[str]) -> str:
    return await asyncio.wait_for(asyncio.to_thread(pipe.readline), 20)


def is_stopped(process: subprocess.Popen[str]) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][0] == "T"


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.usefixtures("frozen_soon")
@pytest.mark.parametrize("guard", ["anywhere", "at a commit"], indirect=True)
async def test_a_frozen_process_loses_its_duty_and_does_nothing_when_it_thaws(
    managers: Managers,
    guard: subprocess.Popen[str],
    opened: list[PostgresDatabase],
    request: pytest.FixtureRequest,
) -> None:
    alfa = opened[0]
    await alfa.write(add, "rounds")
    assert guard.stdout is not None
    assert guard.stderr is not None
    assert await line_of(guard.stdout) == "round\n"
    taken = asyncio.create_task(alfa.line.taken("guard"))
    if "anywhere" in request.node.name:
        # As long as it lives, it is left alone.
        await asyncio.sleep(2 * postgresql_session.FROZEN)
        assert not taken.done()
        guard.send_signal(signal.SIGSTOP)
    await until(lambda: is_stopped(guard))
    await asyncio.wait_for(taken, 20)
    done = rounds(managers.url)
    guard.send_signal(signal.SIGCONT)
    # Either it hears first that the line is broken, or that its transaction is.
    noticed = ("service 'guard' goes on in another Manager", "service 'guard' failed")
    said = ""
    while not any(words in said for words in noticed):
        said = await line_of(guard.stderr)
        assert said, "it ended"
    await asyncio.sleep(1)
    assert rounds(managers.url) == done
    # When the other one has gone, it is its turn again.
    await alfa.line.close()
    await until(lambda: rounds(managers.url) > done)
