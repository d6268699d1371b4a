"""Two Managers on PostgreSQL, and the one that has the duties is frozen for a while."""

from __future__ import annotations

import asyncio
import signal
import time

from faults.audit import deliver_verdict, drain
from faults.client import Person
from faults.manager import Manager, until
from faults.matrix import Broken, Stage, row
from faults.workers import FakeWorker, run_farm
from flamenco_core.testing.postgresql import PostgresServer, find_binaries

GONE = ("has not moved for 30 seconds", "has died, or lost its connection")
"""The second comes first when much is said on the line: nobody reads it at the other end."""
LOST = "service 'job-deletion' goes on in another Manager"
"""The others do not begin their next round, and say nothing."""
NOTICED = 30 + 3
"""Seconds until the other one has the duties."""
GRACE = 20 - 2
"""Seconds that a worker has at least; the end of the Manager is seen in the log later."""
STORED = 1.5
GIVEN_UP = NOTICED + 20 + 2
"""Seconds until a worker is given up that became silent together with the Manager."""


@row("13b", "SIGSTOP of the Manager that has the duties", needs="postgresql", limit=150)
async def frozen_manager(stage: Stage) -> str:
    binaries = find_binaries()
    assert binaries
    server = PostgresServer(binaries)
    stage.leaving.callback(server.stop)
    await asyncio.to_thread(server.start)
    url = server.url(server.create_database())
    alfa, beta = Manager(stage, "alfa"), Manager(stage, "beta")
    for manager in (alfa, beta):
        await manager.start(60, "--database", url)
    async with beta.http(timeout=10) as http:
        person = Person(http, stage.history)
        async with run_farm([_worker(stage, beta, n) for n in range(10)]):
            silent = await _worker(stage, alfa, 99).join()
            job = await person.submit(2000, after=5)
            assert await silent.claim(5)
            # How often it calls is stored 0.2 s later; before that it has the time-out of
            # those that do not say it, 70 s.
            await asyncio.sleep(STORED)
            began = time.monotonic()
            alfa.signal(signal.SIGSTOP)
            taken = await until(lambda: _is_gone(beta), NOTICED, "duties elsewhere")
            while await _status(person, silent) != "error":
                if time.monotonic() - began > GIVEN_UP:
                    raise Broken(f"a silent worker is kept for {GIVEN_UP} s")
                await asyncio.sleep(0.2)
            given_up = time.monotonic() - began
            if given_up < taken + GRACE:
                raise Broken(f"no time to call another Manager: given up after {given_up:.0f} s")
            alfa.signal(signal.SIGCONT)
            noticed = await until(lambda: LOST in alfa.said(), 10, "a word that the duty is lost")
            # If it did anything of its duties now, it would give up those whom it never heard.
            await asyncio.sleep(3)
            await person.cancel(job)
            await drain(person, 60)
    for manager in (alfa, beta):
        await manager.stop()
    verdict = await deliver_verdict(stage.history, url, ttl=3.5, log=alfa.said() + beta.said())
    return (
        f"duties taken over after {taken:.0f} s, a silent worker given up after {given_up:.0f} s,"
        f" thawed Manager knows after {noticed:.1f} s, {verdict.results} results,"
        f" lost 0, twice 0, wasted {verdict.wasted}"
    )


def _is_gone(manager: Manager) -> bool:
    return any(words in manager.said() for words in GONE)


def _worker(stage: Stage, manager: Manager, number: int) -> FakeWorker:
    return FakeWorker(
        url=manager.url,
        history=stage.history,
        name=f"w{number}",
        chance=stage.chance,
        beat=5,
        work=0.5,
    )


async def _status(person: Person, worker: FakeWorker) -> str:
    answer = await person.http.request("GET", f"/api/v3/worker-mgt/workers/{worker.id}")
    return str(answer.json()["status"]) if answer.is_success else ""
