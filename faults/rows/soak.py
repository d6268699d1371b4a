"""F24 and row 4: many workers, thousands of tasks, and a Manager that is killed again and again."""

from __future__ import annotations

import asyncio
import time

from faults.audit import deliver_verdict, drain
from faults.client import Person
from faults.manager import Manager
from faults.matrix import Broken, Stage, row
from faults.workers import FakeWorker, run_farm

WORKERS = 100
SECONDS = 75
KILL_EVERY = 12
JOBS_AT_A_TIME = 4
TASKS = 150
MEMORY = 160
"""MB: 100 when it starts, 32 for pages of the database, 15 of what is garbage."""


@row("F24", "soak: kill -9 of the Manager every 12 s, workers vanish", alone=True, limit=180)
async def soak(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    seconds = SECONDS * stage.scale
    async with manager.http(timeout=20) as http:
        person = Person(http, stage.history)
        async with run_farm(hundred_workers(stage, manager)) as farm:
            end = time.monotonic() + seconds
            figures = _Figures(manager)
            await asyncio.gather(
                feed(person, end - 6),
                _kill(manager, farm, end, figures),
                _vanish(stage, farm, end),
            )
            await drain(person, 60)
    await manager.stop()
    verdict = await deliver_verdict(stage.history, str(manager.file), ttl=7.0, log=manager.said())
    figures.judge()
    return (
        f"{verdict.results} results, {figures.kills} kills, lost/twice/stale 0,"
        f" wasted {verdict.wasted}, all polling after {figures.slowest:.1f} s,"
        f" RSS at most {figures.memory:.0f} MB, fds {figures.more_files():+d},"
        f" WAL {figures.wal:.1f} MB"
    )


def hundred_workers(stage: Stage, manager: Manager) -> list[FakeWorker]:
    return [
        FakeWorker(
            url=manager.url,
            history=stage.history,
            name=f"worker-{n}",
            chance=stage.chance,
            beat=2,
            work=0.8,
        )
        for n in range(WORKERS)
    ]


class _Figures:
    """What is measured meanwhile.

    How fast memory grows says nothing here: a Manager that was killed begins with none,
    and fills its caches. See `faults.rows.memory`.
    """

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.kills = 0
        self.memory = 0.0
        self.slowest = 0.0
        self.wal = 0.0
        self.lives: list[list[int]] = [[]]

    def look(self) -> None:
        wal = self.manager.file.with_name(self.manager.file.name + "-wal")
        if wal.exists():
            self.wal = max(self.wal, wal.stat().st_size / 2**20)
        self.memory = max(self.memory, self.manager.memory())
        self.lives[-1].append(self.manager.files())

    def more_files(self) -> int:
        """Return how many more there are at the end of the longest life than in its middle."""
        life = max(self.lives, key=len)
        return life[-1] - life[len(life) // 2]

    def judge(self) -> None:
        if self.slowest > 10:
            raise Broken(f"all workers were back only after {self.slowest:.1f} s")
        if self.wal > 64:
            raise Broken(f"the WAL grew to {self.wal:.0f} MB")
        if self.memory > MEMORY:
            raise Broken(f"the Manager took {self.memory:.0f} MB; its caches are {MEMORY} at most")


async def feed(person: Person, end: float) -> None:
    while time.monotonic() < end:
        going = [job for job in person.jobs if await person.status(job) in ("active", "queued")]
        for _ in range(JOBS_AT_A_TIME - len(going)):
            await person.submit(TASKS, after=5)
        await asyncio.sleep(1)


async def _kill(manager: Manager, farm: list[FakeWorker], end: float, figures: _Figures) -> None:
    # The last life is a long one: growth shows only with time.
    while time.monotonic() < end:
        left = end - time.monotonic()
        until = time.monotonic() + (left if left < 2.5 * KILL_EVERY else KILL_EVERY)
        while time.monotonic() < until:
            figures.look()
            await asyncio.sleep(0.5)
        if time.monotonic() >= end:
            return
        manager.kill()
        figures.kills += 1
        await manager.start()
        figures.lives.append([])
        figures.slowest = max(figures.slowest, await all_back(farm))


async def all_back(farm: list[FakeWorker], seconds: float = 30) -> float:
    """Wait until all have heard from the Manager again; return how long that took (s)."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while any(worker.last_seen < began for worker in farm):
        if loop.time() - began > seconds:
            missing = sum(worker.last_seen < began for worker in farm)
            raise Broken(f"{missing} workers did not come back within {seconds:g} s")
        await asyncio.sleep(0.05)
    return loop.time() - began


async def _vanish(stage: Stage, farm: list[FakeWorker], end: float) -> None:
    """Let workers die in the middle of their work and start anew."""
    while time.monotonic() < end:
        await asyncio.sleep(0.7)
        worker = stage.chance.choice(farm)
        if worker.current is not None:
            worker.crash()
