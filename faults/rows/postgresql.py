"""Row 13: a PostgreSQL server that crashes in the middle of commits."""

from __future__ import annotations

import asyncio

from faults.audit import deliver_verdict, drain
from faults.client import Person
from faults.manager import Manager
from faults.matrix import Broken, Stage, row
from faults.workers import FakeWorker, run_farm
from flamenco_core.testing.postgresql import PostgresServer, find_binaries

CRASHES = 3


@row(
    "13", "PostgreSQL crashes in the middle of commits, three times", needs="postgresql", limit=120
)
async def crashing_server(stage: Stage) -> str:
    binaries = find_binaries()
    assert binaries
    server = PostgresServer(binaries)
    stage.leaving.callback(server.stop)
    await asyncio.to_thread(server.start)
    url = server.url(server.create_database())
    manager = Manager(stage)
    await manager.start(60, "--database", url)
    async with manager.http(timeout=10) as http:
        person = Person(http, stage.history)
        workers = [
            FakeWorker(
                url=manager.url, history=stage.history, name=f"w{n}", chance=stage.chance, work=0.1
            )
            for n in range(10)
        ]
        async with run_farm(workers):
            for _ in range(round(CRASHES * stage.scale)):
                job = await person.submit(60, after=3)
                await asyncio.sleep(1 + stage.chance.random())
                await asyncio.to_thread(server.crash)
                unknown = await person.submit(10)
                await asyncio.to_thread(server.start_again)
                # Whether it was stored is not known: it is sent again under its id.
                for again in (unknown, job):
                    await _until_taken(person, again)
            await drain(person, 60)
    await manager.stop()
    log = manager.said().replace("Traceback", "")
    verdict = await deliver_verdict(stage.history, url, ttl=3.5, log=log)
    return (
        f"{round(CRASHES * stage.scale)} crashes, {verdict.results} results, lost 0, twice 0,"
        f" wasted {verdict.wasted}"
    )


async def _until_taken(person: Person, job: str) -> None:
    for _ in range(100):
        if await person.status(job):
            return
        await person.submit(10, id=job)
        if person.last is not None and person.last.is_success:
            return
        await asyncio.sleep(0.1)
    raise Broken("a job is not taken within 10 s after the server is back")
