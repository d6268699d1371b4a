"""Rows 3 and 9 to 12: a database that is locked, gone, damaged, of another version."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from functools import partial

from faults.audit import check_file, deliver_verdict
from faults.client import Person
from faults.http import NoAnswer
from faults.load import busy_words, slowness
from faults.manager import Manager, until
from faults.matrix import Broken, Stage, row
from faults.rows.slow import Pings
from faults.tracer import Point, Tracer
from faults.zygote import Zygote

HELD = 12.0
PATIENCE = 5.0
NOTICED = 30.0
HOLD = """
import sys, time
from flamenco_core.manager.store.sqlite_library import dbapi
connection = dbapi().connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""
# With the SQLite of Python itself, another version than the one that we bring.
OTHER = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("UPDATE jobs SET name = 'written by another version'")
os._exit(0)
"""


@contextlib.asynccontextmanager
async def _held(manager: Manager) -> AsyncIterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(manager.file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        await asyncio.to_thread(process.stdout.readline)
        yield
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


@row("9", "the database is locked by another program for 12 s", alone=True)
async def locked(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    slow, wrong = slowness(), []
    async with manager.http(timeout=20) as http:
        person = Person(http, stage.history)
        await person.submit(3)
        pings = Pings(manager)
        async with pings.going_on(), _held(manager):
            end, waits = time.monotonic() + HELD, []
            while time.monotonic() < end:
                began = time.monotonic()
                await person.submit(3)
                waits.append(time.monotonic() - began)
                answer = person.last
                code = answer.status if answer else 0
                if code != 503 or not answer or "retry-after" not in answer.headers:
                    wrong.append(f"answered {code} after {waits[-1]:.1f} s")
        if max(waits) > PATIENCE + 1.5 * slow:
            wrong.append(f"a request waited {max(waits):.1f} s")
        if pings.worst() > 100 * slow or pings.failures:
            wrong.append(f"/live took {pings.worst():.0f} ms")
        began = time.monotonic()
        await person.submit(3)
        resumed = time.monotonic() - began
        if not (person.last and person.last.is_success):
            wrong.append("it does not go on afterwards")
    await manager.stop()
    # Each refused write is told as a failed commit, with where it came from.
    log = manager.said().replace("Traceback", "")
    await deliver_verdict(stage.history, str(manager.file), ttl=4, drained=False, log=log)
    if wrong:
        raise Broken("; ".join(wrong[:4]))
    return (
        f"{len(waits)} x 503 after {max(waits):.1f} s at most, /live {pings.worst():.0f} ms"
        f" at most, resumed in {resumed:.1f} s{busy_words(slow)}"
    )


@row("10", "the database file is deleted, replaced, moved away while in use", limit=100)
async def taken_away(stage: Stage) -> str:
    async with asyncio.TaskGroup() as group:
        tried = [
            group.create_task(_taken_away(stage, how)) for how in ("deleted", "replaced", "moved")
        ]
    if wrong := [told for task in tried if (told := task.result())]:
        raise Broken("; ".join(wrong))
    return f"deleted, replaced, moved: all noticed within {NOTICED:.0f} s, nothing was accepted"


async def _taken_away(stage: Stage, how: str) -> str:
    manager = Manager(stage, how)
    await manager.start()
    async with manager.http(timeout=10) as http:
        person = Person(http, stage.history)
        await person.submit(3)
        if how == "deleted":
            manager.file.unlink()
        elif how == "moved":
            manager.file.rename(manager.file.with_suffix(".away"))
        else:
            other = manager.file.with_suffix(".other")
            shutil.copy(manager.file, other)
            other.replace(manager.file)
        began = time.monotonic()
        while time.monotonic() - began < NOTICED:
            try:
                if (await http.get("/ready")).status == 503:
                    break
            except NoAnswer:
                break
            await asyncio.sleep(0.5)
        else:
            return f"{how}: not noticed within {NOTICED:.0f} s"
        await person.submit(3)
        if person.last and person.last.is_success:
            return f"{how}: changes are accepted into a file that is gone"
    return ""


@row("11", "a page of the database is overwritten while the Manager is down")
async def damaged(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    async with manager.http() as http:
        person = Person(http, stage.history)
        for _ in range(10):
            await person.submit(100)
    await manager.stop()
    size = manager.file.stat().st_size
    with manager.file.open("r+b") as file:
        for page in range(8, size // 4096, 3):
            file.seek(page * 4096)
            file.write(os.urandom(4096))
    # As after a crash, which is when files are damaged.
    manager.launch()
    try:
        await until(lambda: not manager.is_alive, 15, "the refusal of a damaged database")
    except Broken:
        raise Broken(f"it started with a damaged database: {manager.said()[-150:]}") from None
    code, said = manager.wait(), manager.said()[-600:]
    if code != 1 or "restore" not in said or "Traceback" in said:
        raise Broken(f"exit code {code}: {said[-300:]}")
    line = said.strip().splitlines()[-1]
    return f"start refused: {line[:160]}"


@row("12", "a WAL that another SQLite version left (no NFS here to be tried)")
async def other_version(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    async with manager.http() as http:
        person = Person(http, stage.history)
        job = await person.submit(3)
        await manager.stop()
        subprocess.run([sys.executable, "-c", OTHER, str(manager.file)], check=True)
        wal = manager.file.with_name(manager.file.name + "-wal")
        if not wal.exists() or not wal.stat().st_size:
            raise Broken("the other version has left no WAL: this proves nothing")
        await manager.start()
        name = (await http.get(f"/api/v3/jobs/{job}")).json()["name"]
    await manager.stop()
    if name != "written by another version":
        raise Broken(f"what the other version had committed is gone: the name is {name!r}")
    check_file(manager.file)
    return "what it had committed is there"


@row("3", "kill -9 in a migration, at the n-th write", needs="linux strace", limit=100)
async def migration(stage: Stage) -> str:
    points = [1, 3, *sorted(stage.chance.sample(range(4, 160), 8))]
    zygote = Zygote()
    stage.leaving.callback(zygote.close)
    killed = 0
    for number in points:
        manager = Manager(stage, f"at-{number}", zygote=zygote)
        manager.launch(stopped=True)
        tracer = await Tracer.killing(manager.pid, Point("pwrite64", number)).start()
        manager.signal(signal.SIGCONT)
        await until(partial(_is_settled, manager), 30, "its end, or that it is ready")
        killed += "is ready" not in manager.said()
        await tracer.stop()
        manager.kill()
        await manager.start()
        async with manager.http() as http:
            await Person(http, stage.history).submit(3)
        await manager.stop()
        check_file(manager.file)
    if not killed:
        raise Broken("it was never killed before it was ready: this proves nothing")
    return f"{killed} kills in {len(points)} first starts: each second start finished the schema"


def _is_settled(manager: Manager) -> bool:
    return not manager.is_alive or "is ready" in manager.said()
