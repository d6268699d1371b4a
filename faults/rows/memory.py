"""F24, the other half: how the memory of a Manager grows that is not killed.

A Manager that has just started fills its caches; how fast that goes depends on the load,
and where it ends is known: 16 MB of the database's pages for who writes, 8 for each of two
who read, and up to 100,000 objects of garbage. So they are filled first, by a big job. What
grows after that grows for months.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from faults.audit import deliver_verdict, drain
from faults.client import Person
from faults.manager import Manager
from faults.matrix import Broken, Stage, row
from faults.rows.soak import feed, hundred_workers
from faults.workers import run_farm

BIG = 60_000
"""Tasks of a job that is not run; all pages of it do not fit into the caches."""
SECONDS = 100
WARM_UP = 45
"""Seconds until each thread that checks the file has done so once; see below."""
SLOPE = 1.0
"""MB a minute. Memory comes from the system in pieces of some 2 MB, so a minute and a half says
nothing of a slope: 0.03 MB/min in half an hour (``--scale 11``) was 1.2 in 90 seconds."""
STEPS = 4.0
"""MB: two such pieces are no growth."""


@row("F24b", "soak without kills: does the Manager's memory grow", alone=True, limit=300)
async def growth(stage: Stage) -> str:
    # A check of the file leaves 2 MB with each thread that ever did one: malloc keeps what
    # is free for that thread (none of it with MALLOC_ARENA_MAX=1). That belongs to the warm-up.
    manager = Manager(stage, FLAMENCO_DATABASE_CHECK_PERIOD="10s")
    await manager.start()
    async with manager.http(timeout=60) as http:
        person = Person(http, stage.history)
        await _fill_caches(person)
        async with run_farm(hundred_workers(stage, manager)):
            end = time.monotonic() + SECONDS * stage.scale
            seen, _ = await asyncio.gather(_look(manager, end), feed(person, end))
            await drain(person, 60)
    await manager.stop()
    verdict = await deliver_verdict(stage.history, str(manager.file), ttl=7.0, log=manager.said())
    slope = slope_of(seen)
    minutes = (seen[-1][0] - seen[0][0]) / 60
    figure = f"RSS {seen[0][1]:.0f} to {seen[-1][1]:.0f} MB, slope {slope:.2f} MB/min"
    if slope * minutes > max(STEPS, SLOPE * minutes):
        raise Broken(f"the Manager grows when its caches are full: {figure}")
    return f"{verdict.results} results, lost/twice/stale 0, {figure} in {minutes:.1f} min"


async def _fill_caches(person: Person) -> None:
    job = await person.submit(BIG)
    await person.cancel(job)
    # One for each of those who read, and some more.
    await asyncio.gather(*(person.tasks(job) for _ in range(4)))


async def _look(manager: Manager, end: float) -> list[tuple[float, float]]:
    """Return moments (s) and memory (MB), from when it has warmed up."""
    await asyncio.sleep(WARM_UP)
    seen = []
    while time.monotonic() < end:
        seen.append((time.monotonic(), manager.memory()))
        await asyncio.sleep(0.5)
    return seen


def slope_of(seen: list[tuple[float, float]]) -> float:
    """Return by how much it grows (MB/min), as the straight line has it that fits best."""
    moments, sizes = zip(*seen, strict=True)
    return statistics.linear_regression(moments, sizes).slope * 60
