"""Rows 1 and 2, F1: the Manager is killed at each system call of what changes something.

What is left is checked in a copy, before a new Manager could repair it. Then the request
is sent again, as clients do that got no answer, and all must be as if it was sent once.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from abc import ABC, abstractmethod
from typing import Any

import attrs

from faults.audit import check_copy, deliver_verdict, drain, live_run
from faults.client import Person
from faults.http import Http, NoAnswer
from faults.manager import Manager, until
from faults.matrix import Broken, Stage, row
from faults.tracer import CALLS, Point, Tracer, count_calls
from faults.workers import FakeWorker, Run, run_farm
from faults.zygote import Zygote

TASKS = 12
# `write` is for logs and sockets; where it ends in the middle nothing of the database does.
WATCHED = ",".join(call for call in CALLS if call != "write")


@attrs.define
class Case:
    """One Manager and who uses it; a new one for each kind of request."""

    stage: Stage
    manager: Manager
    http: Http
    person: Person
    worker: FakeWorker
    job: str = ""
    run: Run | None = None
    seen: int = 0

    async def begin(self) -> None:
        """Make what the request is about: a job, and a task that the worker has."""
        self.job = await self.person.submit(TASKS, after=3)

    async def end(self) -> None:
        """Take away what is left, so that the next point finds the same."""
        await self.person.delete(self.job)
        for _ in range(400):
            if not await self.person.status(self.job):
                return
            await asyncio.sleep(0.02)
        raise Broken("a deleted job is still there after 8 s")


class Kind(ABC):
    """A kind of request: how to prepare it, make it, and see that it was made once."""

    name = ""

    async def prepare(self, case: Case) -> None:
        await case.begin()

    @abstractmethod
    async def act(self, case: Case) -> None:
        """Make the request."""

    def check_left(self, case: Case, farm: Any) -> None:  # noqa: B027 - not all have more to see
        """Look at what the crash has left."""

    async def check_repeated(self, case: Case) -> None:  # noqa: B027 - the same
        """Look at what there is after the request was sent again."""


def expect(holds: bool, promise: str) -> None:
    if not holds:
        raise Broken(promise)


class Submit(Kind):
    name = "submit"

    async def prepare(self, case: Case) -> None:
        case.job = str(uuid.uuid4())

    async def act(self, case: Case) -> None:
        await case.person.submit(TASKS, after=3, id=case.job)

    def check_left(self, case: Case, farm: Any) -> None:
        ids = [job.id for job in farm.jobs.values() if job.uuid == case.job]
        tasks = sum(task.job_id in ids for task in farm.tasks.values())
        expect((len(ids), tasks) in {(0, 0), (1, TASKS)}, f"{len(ids)} jobs, {tasks} tasks")

    async def check_repeated(self, case: Case) -> None:
        tasks = await case.person.tasks(case.job)
        expect(len(tasks) == TASKS, f"a job sent twice has {len(tasks)} tasks, not {TASKS}")


class Claim(Kind):
    name = "claim"
    left: tuple[str, int] | None = None

    async def act(self, case: Case) -> None:
        case.run = await case.worker.claim(0)

    def check_left(self, case: Case, farm: Any) -> None:
        self.left = live_run(farm, case.worker.id)

    async def check_repeated(self, case: Case) -> None:
        run = case.run
        expect(run is not None, "the worker gets no task after the crash")
        assert run is not None
        given = (run.task, run.epoch)
        expect(self.left in {None, given}, f"{self.left} was given out, and then {given}")
        await case.worker.report(run, "completed")


class Update(Kind):
    name = "update"
    body: dict[str, Any] = {}

    async def prepare(self, case: Case) -> None:
        await case.begin()
        run = case.run = await case.worker.claim(0)
        expect(run is not None, "the worker gets no task")
        assert run is not None
        await case.worker.report(run, "active", log="begun\n")
        said = {"taskStatus": "completed", "activity": "done", "log": "ended\n"}
        self.body = {**said, "epoch": run.epoch, "seq": run.seq + 1, "log_offset": run.offset}

    async def act(self, case: Case) -> None:
        assert case.run is not None
        await case.worker.send(case.run, self.body)

    async def check_repeated(self, case: Case) -> None:
        assert case.run is not None
        tasks = {task["id"]: task["status"] for task in await case.person.tasks(case.job)}
        expect(tasks.get(case.run.task) == "completed", f"the result is gone: {tasks}")
        path = f"/job-files/job-{case.job[:4]}/{case.job}/task-{case.run.task}.txt"
        log = (await case.http.get(path)).text
        expect(log.count("begun\n") == log.count("ended\n") == 1, f"the log is {log!r}")


class Cancel(Kind):
    name = "cancel"

    async def prepare(self, case: Case) -> None:
        await case.begin()
        case.run = await case.worker.claim(0)

    async def act(self, case: Case) -> None:
        await case.person.cancel(case.job)

    async def check_repeated(self, case: Case) -> None:
        status = await case.person.status(case.job)
        expect(status == "canceled", f"a job that was canceled is {status}")
        assert case.run is not None
        answer = await case.worker.report(case.run, "completed")
        code = answer.status if answer else 0
        expect(code == 409, f"a result for a canceled task is answered with {code}")


class Requeue(Kind):
    name = "requeue"

    async def prepare(self, case: Case) -> None:
        await case.begin()
        run = await case.worker.claim(0)
        assert run is not None
        await case.worker.report(run, "completed")
        await case.person.cancel(case.job)

    async def act(self, case: Case) -> None:
        await case.person.requeue(case.job)

    async def check_repeated(self, case: Case) -> None:
        statuses = {task["status"] for task in await case.person.tasks(case.job)}
        expect("canceled" not in statuses, f"tasks of a requeued job are {statuses}")


class Delete(Kind):
    name = "delete"

    async def prepare(self, case: Case) -> None:
        await case.begin()
        run = await case.worker.claim(0)
        assert run is not None
        await case.worker.report(run, "completed", log="x\n")

    async def act(self, case: Case) -> None:
        await case.person.delete(case.job)
        for _ in range(300):
            if not await case.person.status(case.job) or not case.manager.is_alive:
                return
            await asyncio.sleep(0.01)

    async def check_repeated(self, case: Case) -> None:
        await case.end()
        folder = case.manager.data / "flamenco-manager-storage" / f"job-{case.job[:4]}" / case.job
        await until(lambda: not folder.exists(), 3, "the end of a deleted job's files")


KINDS = (Submit, Claim, Update, Cancel, Requeue, Delete)


@row(
    "F1",
    "rows 1, 2: kill -9 at system calls of submit, claim, update, cancel, requeue, delete",
    needs="linux strace",
    limit=240,
)
async def crash_points(stage: Stage) -> str:
    zygote = Zygote()
    stage.leaving.callback(zygote.close)
    share = -(-stage.points // len(KINDS))
    done: dict[str, int] = {}
    slowest = 0.0
    for kind in KINDS:
        passed, start = await _kind(stage, kind(), zygote, share)
        done[kind.name] = passed
        slowest = max(slowest, start)
    told = ", ".join(f"{name} {count}" for name, count in done.items())
    return f"{sum(done.values())} points ({told}), 0 violations; slowest start {slowest:.1f} s"


async def _kind(stage: Stage, kind: Kind, zygote: Zygote, share: int) -> tuple[int, float]:
    manager = Manager(stage, kind.name, zygote=zygote)
    await manager.start()
    async with manager.http(timeout=10) as http:
        worker = FakeWorker(
            url=manager.url,
            history=stage.history,
            name="alfa",
            chance=stage.chance,
            beat=30,
        )
        stage.leaving.callback(worker.http.close)
        await worker.join()
        case = Case(stage, manager, http, Person(http, stage.history), worker)
        points = await _points(case, kind)
        chosen = stage.chance.sample(points, min(share, len(points)))
        chosen += stage.chance.choices(points, k=share - len(chosen))
        slowest, hits = 0.0, 0
        for point in chosen:
            hit, start = await _one(case, kind, point)
            hits += hit
            slowest = max(slowest, start)
    if manager.is_alive:
        await manager.stop()
    # Each kind's Manager has its own part of the history.
    farm = check_copy(manager.file, manager.folder / "last")
    expect(len(farm.workers) == 1, "a worker is there twice")
    expect("Traceback" not in manager.said(), f"a traceback in {manager.log}")
    return hits, slowest


async def _points(case: Case, kind: Kind) -> list[Point]:
    """Watch the request once, without harm, and see where it could be cut off."""
    await kind.prepare(case)
    output = case.manager.folder / "calls.txt"
    tracer = Tracer(case.manager.pid, "-e", f"trace={WATCHED}", output=output)
    await tracer.start()
    await kind.act(case)
    await tracer.stop()
    await kind.check_repeated(case)
    await case.end()
    points = count_calls(output)
    expect(bool(points), f"{kind.name} makes no system calls that change something")
    return points


async def _one(case: Case, kind: Kind, point: Point) -> tuple[bool, float]:
    """Cut the request off at a point; return whether that was reached, and the next start."""
    where = f"{kind.name} at {point.call} {point.number}"
    manager, took = case.manager, 0.0
    await kind.prepare(case)
    tracer = await Tracer.killing(manager.pid, point).start()
    await kind.act(case)
    hit = await _is_hit(case)
    await tracer.stop()
    try:
        if hit:
            kind.check_left(case, check_copy(manager.file, manager.folder / "left"))
            began = time.monotonic()
            await manager.start()
            took = time.monotonic() - began
        await kind.act(case)
        await kind.check_repeated(case)
        await case.end()
    except Broken as error:
        raise Broken(f"{where}: {error}") from error
    return hit, took


async def _is_hit(case: Case) -> bool:
    """Say whether the Manager was killed; its last breath may take a moment."""
    try:
        await case.http.get("/live")
    except NoAnswer:
        await until(lambda: not case.manager.is_alive, 8, "the end of a killed Manager")
    return not case.manager.is_alive


@row("4", "kill -9 of the Manager again and again", limit=60)
async def killed_again(stage: Stage) -> str:
    """Kill it at any time, not only where it writes; the soak does that with many workers."""
    zygote = Zygote()
    stage.leaving.callback(zygote.close)
    manager = Manager(stage, zygote=zygote)
    await manager.start()
    async with manager.http(timeout=5) as http:
        person = Person(http, stage.history)
        chance = stage.chance
        workers = [
            FakeWorker(url=manager.url, history=stage.history, name=f"w{n}", chance=chance)
            for n in range(8)
        ]
        kills = 0
        async with run_farm(workers):
            for _ in range(round(12 * stage.scale)):
                await person.submit(25, after=3)
                await asyncio.sleep(chance.uniform(0.05, 0.8))
                manager.kill()
                kills += 1
                await manager.start()
            await drain(person, 30)
    await manager.stop()
    verdict = await deliver_verdict(stage.history, str(manager.file), ttl=3.5, log=manager.said())
    return f"{kills} kills, {verdict.results} results, lost 0, twice 0, wasted {verdict.wasted}"
