"""Rows 7 and 8: a disk that fails, and one that is full."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path

from faults.audit import deliver_verdict, drain
from faults.client import Person
from faults.http import NoAnswer
from faults.load import busy_words, slowness
from faults.manager import Manager, until
from faults.matrix import Broken, Stage, row
from faults.tracer import Tracer
from faults.workers import FakeWorker, run_farm


@row("7", "EIO when the disk is flushed", needs="linux strace")
async def eio(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    async with manager.http(timeout=10) as http:
        person = Person(http, stage.history)
        for _ in range(5):
            await person.submit(3)
        tracer = await Tracer.failing(manager.pid, "fsync,fdatasync", "EIO").start()
        await person.submit(3)
        code = person.last and person.last.status
        try:
            await until(lambda: not manager.is_alive, 5, "the end of a Manager whose disk failed")
            exited = True
        except Broken:
            exited = False
        await tracer.stop()
        if not exited:
            manager.kill()
        await manager.start()
        await person.submit(3)
    await manager.stop()
    await deliver_verdict(stage.history, str(manager.file), ttl=4, drained=False)
    if code not in (None, 503) or not exited:
        raise Broken(f"answered {code}; the process {'ended' if exited else 'went on'}")
    return f"answered {code}, the process ended, nothing acknowledged was lost"


@row("8", "disk full: tmpfs of 24 MB, then space again", needs="linux root", limit=90)
async def full(stage: Stage) -> str:
    disk = stage.place("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=True)
    stage.leaving.callback(
        lambda: subprocess.run(["umount", "--lazy", disk], check=False, capture_output=True)
    )
    manager = Manager(stage, data=disk / "data")
    await manager.start()
    wrong: list[str] = []
    worker = FakeWorker(
        url=manager.url, history=stage.history, name="alfa", chance=stage.chance, work=0.2
    )
    async with manager.http(timeout=10) as http:
        person = Person(http, stage.history)
        job = await person.submit(30)
        async with run_farm([worker]):
            await asyncio.sleep(0.5)
            filler = _fill(disk)
            wrong += await _while_full(stage, person, manager, job)
            pid, slow, began = manager.pid, slowness(), time.monotonic()
            filler.unlink()
            while await _ready(manager) != 200:
                if time.monotonic() - began > 10:
                    raise Broken("; ".join([*wrong, "it does not resume when there is space"]))
                await asyncio.sleep(0.05)
            resumed = time.monotonic() - began
            await drain(person, 40)
    if resumed > 5 * slow:
        wrong.append(f"resumed only after {resumed:.1f} s")
    if not manager.is_alive or manager.pid != pid:
        wrong.append("it had to be restarted")
    await manager.stop()
    try:
        await deliver_verdict(stage.history, str(manager.file), ttl=99)
    except Broken as error:
        wrong.append(str(error))
    if wrong:
        raise Broken("; ".join(wrong))
    return f"507, reads fine, /ready 503; resumed {resumed:.1f} s after space{busy_words(slow)}"


def _fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12):
            try:
                while True:
                    file.write(os.urandom(size))
            except OSError:
                continue
    return filler


async def _while_full(stage: Stage, person: Person, manager: Manager, job: str) -> list[str]:
    """Say what is not as it should be as long as there is no space."""
    wrong = []
    codes = []
    for _ in range(40):
        # The database may have some room of its own left.
        await person.submit(400)
        codes.append(person.last and person.last.status)
        if codes[-1] != 200:
            break
    if codes[-1] != 507:
        wrong.append(f"a job for a full disk is answered with {codes[-1]}, not 507")
    if (seen := await person.status(job)) not in ("active", "queued", "completed"):
        wrong.append(f"reading a job while the disk is full: {seen!r}")
    await asyncio.sleep(1.2)
    if (code := await _ready(manager)) != 503:
        wrong.append(f"/ready says {code} while the disk is full")
    if not manager.is_alive:
        wrong.append("it ended")
    return wrong


async def _ready(manager: Manager) -> int:
    async with manager.http(timeout=5) as http:
        try:
            return (await http.get("/ready")).status
        except NoAnswer:
            return 0
