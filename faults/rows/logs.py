"""Row 31: task logs that are huge, binary, gone, or links to somewhere else."""

from __future__ import annotations

import asyncio
import os
import shutil
import time

from faults.client import Person
from faults.load import busy_words, slowness
from faults.manager import Manager
from faults.matrix import Broken, Stage, row
from faults.workers import FakeWorker, Run

HUGE = 2 * 2**30
MOST = 64 * 1024


@row("31", "task logs: 2 GB, binary, folder deleted, replaced by a link")
async def logs(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    worker = FakeWorker(
        url=manager.url, history=stage.history, name="alfa", chance=stage.chance, beat=60
    )
    stage.leaving.callback(worker.http.close)
    await worker.join()
    wrong, slow = [], slowness()
    async with manager.http(timeout=20) as http:
        person = Person(http, stage.history)
        job = await person.submit(2)
        run = await worker.claim(0)
        assert run
        await worker.report(run, "active", log="begun\n")
        (path,) = manager.data.rglob("task-*.txt")
        before = manager.memory()
        with path.open("r+b") as file:
            file.truncate(HUGE)
            file.seek(HUGE - 5000)
            file.write(b"\xff\xfe\x00\x80 binary \xc3" * 300)
        began = time.perf_counter()
        answer = await http.get(f"/api/v3/tasks/{run.task}/logtail")
        took = time.perf_counter() - began
        if answer.status != 200 or len(answer.content) > MOST:
            wrong.append(f"the tail of 2 GB: {answer.status}, {len(answer.content)} bytes")
        if took > 0.05 * slow:
            wrong.append(f"the tail took {took * 1000:.0f} ms{busy_words(slow)}")
        try:
            answer.content.decode("utf-8")
        except UnicodeDecodeError:
            wrong.append("the tail is not UTF-8")
        if manager.memory() - before > 20:
            wrong.append(f"RSS +{manager.memory() - before:.0f} MB")
        wrong += await _gone(worker, run, path.parent)
        wrong += await _link(stage, worker, run, path)
        assert job
    if "Traceback" in manager.said():
        wrong.append("a traceback in the log")
    if wrong:
        raise Broken("; ".join(wrong))
    return f"tail of 2 GB in {took * 1000:.0f} ms{busy_words(slow)}; written anew; link refused"


async def _gone(worker: FakeWorker, run: Run, folder: os.PathLike[str]) -> list[str]:
    shutil.rmtree(folder)
    answer = await worker.report(run, log="again\n")
    code = answer.status if answer else 0
    return [] if code == 204 and os.path.isdir(folder) else [f"folder deleted: {code}"]


async def _link(stage: Stage, worker: FakeWorker, run: Run, path: os.PathLike[str]) -> list[str]:
    """Put a link in a log's place; nothing may be written to, or read from, its target."""
    canary = stage.folder / "canary"
    canary.write_text("secret of somebody else\n")
    os.unlink(path)
    os.symlink(canary, path)
    body = {"epoch": run.epoch, "seq": 50, "log": "through\n", "log_offset": 0}
    answer = await worker.send(run, body)
    await asyncio.sleep(0)
    wrong = []
    if canary.read_text() != "secret of somebody else\n":
        wrong.append("a log was written through a link")
    if answer is None or answer.status >= 500:
        wrong.append(f"a log that is a link: {answer and answer.status}")
    tail = await worker.http.request("GET", f"/api/v3/tasks/{run.task}/logtail")
    if b"secret" in tail.content:
        wrong.append("a log was read through a link")
    done = await worker.report(run, "completed")
    if done is None or done.status != 204:
        wrong.append(f"the task's result after that: {done and done.status}")
    return wrong
