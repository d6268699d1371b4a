"""Row 24: the wall clock jumps by an hour, by a day, and to 1970."""

from __future__ import annotations

import asyncio
import time

from faults.audit import deliver_verdict, drain
from faults.client import Person
from faults.manager import Manager
from faults.matrix import Broken, Stage, row
from faults.tools import faketime_library
from faults.workers import FakeWorker, run_farm

JUMPS = ("+0", "+1h", "-1h", "+1d", "@1970-01-02 00:00:00", "+0")


@row("24", "the wall clock jumps: +1 h, -1 h, +1 day, to 1970", needs="linux faketime", limit=90)
async def jumps(stage: Stage) -> str:
    # The library remembers a file that it could not read: it is there from the beginning.
    told = stage.folder / "faketime"
    told.write_text("+0\n")
    manager = Manager(
        stage,
        LD_PRELOAD=str(faketime_library()),
        FAKETIME_TIMESTAMP_FILE=str(told),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    await manager.start()
    async with manager.http() as http:
        person = Person(http, stage.history)
        workers = [
            FakeWorker(
                url=manager.url, history=stage.history, name=f"w{n}", chance=stage.chance, work=9
            )
            for n in range(10)
        ]
        await person.submit(10)
        async with run_farm(workers) as farm:
            while not all(worker.current for worker in farm):
                await asyncio.sleep(0.05)
            seen = set()
            for jump in JUMPS:
                told.write_text(f"{jump}\n")
                # Longer than the Manager takes between two looks at who is overdue.
                await asyncio.sleep(1.3)
                seen.add(await _year(http))
            await drain(person, 60)
            expired = _expired(stage)
            # A worker that is silent is missed, however the clock stands.
            told.write_text("-1d\n")
            late = await _missed(stage, manager, person, workers[0])
    await manager.stop()
    await deliver_verdict(stage.history, str(manager.file), ttl=3.5, drained=False)
    if len(seen) < 2:
        raise Broken(f"the clock did not jump, it was always {seen}: this proves nothing")
    if expired:
        raise Broken(f"{expired} leases expired early")
    return f"{len(JUMPS)} jumps: 0 leases expired early; a silent worker missed after {late:.1f} s"


async def _year(http: object) -> str:
    """Return the year that the Manager believes in, by its header or a new job's time."""
    person = Person(http, _Nowhere())  # type: ignore[arg-type]
    job = await person.submit(1, priority=1, initial_status="paused")
    answer = await person._ask("GET", f"/api/v3/jobs/{job}")
    assert answer
    await person.delete(job)
    return str(answer.json()["created"])[:10]


class _Nowhere:
    """A history that keeps nothing."""

    def invoke(self, *_: object, **__: object) -> int:
        return 0

    def settle(self, *_: object, **__: object) -> None:
        pass


def _expired(stage: Stage) -> int:
    claims = [op for op in stage.history.ops() if op.op == "claim" and op["task"]]
    return sum(op["epoch"] > 1 for op in claims)


async def _missed(stage: Stage, manager: Manager, person: Person, worker: FakeWorker) -> float:
    silent = FakeWorker(url=manager.url, history=stage.history, name="silent", chance=stage.chance)
    await silent.join()
    silent.http.close()
    began = time.monotonic()
    while time.monotonic() - began < 20:
        answer = await person._ask("GET", f"/api/v3/worker-mgt/workers/{silent.id}")
        if answer and answer.json()["status"] == "error":
            return time.monotonic() - began
        await asyncio.sleep(0.2)
    raise Broken(f"a silent worker is not missed within 20 s after a jump back ({worker.name})")
