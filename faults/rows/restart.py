"""F5, row 15: the Manager is restarted under 100 workers that are at work; row 14: two of them."""

from __future__ import annotations

import asyncio
import signal
import time

from faults.audit import deliver_verdict, drain
from faults.client import Person
from faults.load import busy_words, slowness
from faults.manager import Manager
from faults.matrix import Broken, Stage, row
from faults.rows.soak import all_back
from faults.workers import FakeWorker, run_farm

WORKERS = 100
READY = 2.0
BACK = 10.0


@row(
    "F5",
    "row 15: restart with 100 workers at 100 active tasks: SIGTERM, then kill -9",
    alone=True,
    limit=120,
)
async def restart(stage: Stage) -> str:
    manager = Manager(stage)
    await manager.start()
    async with manager.http() as http:
        person = Person(http, stage.history)
        workers = [
            FakeWorker(
                url=manager.url,
                history=stage.history,
                name=f"worker-{n}",
                chance=stage.chance,
                beat=2,
                work=16,
            )
            for n in range(WORKERS)
        ]
        job = await person.submit(WORKERS)
        async with run_farm(workers) as farm:
            await _all_at_work(farm)
            normal = await _rate(farm, 4)
            told = []
            for how in (signal.SIGTERM, signal.SIGKILL):
                told.append(await _restart(manager, farm, how, normal))
            await drain(person, 60)
            epochs = {op["epoch"] for op in stage.history.ops() if op.op == "claim" and op["task"]}
            lost = len(epochs - {1})
            if lost or await person.status(job) != "completed":
                raise Broken(f"leases were lost: the epochs are {epochs}")
    await manager.stop()
    verdict = await deliver_verdict(stage.history, str(manager.file), ttl=7, log=manager.said())
    return "; ".join([*told, f"0 of {verdict.results} leases lost"])


async def _all_at_work(farm: list[FakeWorker]) -> None:
    for _ in range(600):
        if all(worker.current for worker in farm):
            return
        await asyncio.sleep(0.05)
    raise Broken("100 workers do not get 100 tasks")


async def _rate(farm: list[FakeWorker], seconds: float) -> float:
    """Return the highest number of requests in a second."""
    peak = 0
    for _ in range(round(seconds)):
        before = sum(worker.requests for worker in farm)
        await asyncio.sleep(1)
        peak = max(peak, sum(worker.requests for worker in farm) - before)
    return peak


async def _restart(
    manager: Manager, farm: list[FakeWorker], how: signal.Signals, normal: float
) -> str:
    slow = slowness()
    manager.signal(how)
    manager.wait(15)
    began = time.monotonic()
    ready = await manager.start()
    cpu = manager.cpu()
    rate = asyncio.create_task(_rate(farm, 4))
    back = await all_back(farm)
    peak = await rate
    slow = max(slow, slowness())
    # It starts on one processor: alone on a machine it takes as long as it computes.
    if min(ready, cpu) > READY:
        raise Broken(f"ready after {ready:.1f} s, {cpu:.1f} s of them CPU{busy_words(slow)}")
    if time.monotonic() - began > BACK * slow + 4:
        raise Broken(f"all polling only {back + ready:.1f} s after {how.name}")
    if peak > max(2 * normal, 2 * WORKERS):
        raise Broken(f"a herd: {peak:.0f} requests a second, {normal:.0f} are normal")
    return (
        f"{how.name}: ready {ready:.1f} s ({cpu:.1f} s CPU){busy_words(slow)},"
        f" all back +{back:.1f} s, peak {peak:.0f}/s (normal {normal:.0f}/s)"
    )


@row("14", "two Managers on one file, and on one port")
async def two_managers(stage: Stage) -> str:
    first = Manager(stage, "first")
    await first.start()
    told = []
    same_file = Manager(stage, "same-file", data=first.data)
    same_port = Manager(stage, "same-port")
    same_port.port = first.port
    for name, second, words in (
        ("file", same_file, "another Manager uses"),
        ("port", same_port, "cannot listen on"),
    ):
        slow = slowness()
        began = time.monotonic()
        second.launch()
        code = await asyncio.to_thread(second.wait, 20)
        took = time.monotonic() - began
        if code != 1 or words not in second.said():
            raise Broken(f"same {name}: exit code {code}: {second.said()[-200:]}")
        if "Traceback" in second.said():
            raise Broken(f"same {name}: a traceback instead of a line")
        told.append(f"{name}: exit 1 after {took:.1f} s{busy_words(slow)}")
    async with first.http() as http:
        person = Person(http, stage.history)
        await person.submit(3)
        if (await http.get("/ready")).status != 200:
            raise Broken("the first Manager is disturbed")
    await first.stop()
    await deliver_verdict(stage.history, str(first.file), ttl=4, drained=False)
    return ", ".join(told)
