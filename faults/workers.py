"""Workers without programs: they speak as ours does, and render nothing.

Like ours they send a report until the Manager has taken it or refused it for good, name
epoch and number in each, ask from time to time whether to go on, and take the next task
along with the answer to the last report.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import attrs

from faults.client import end_of
from faults.history import History
from faults.http import Answer, Http, NoAnswer

__all__ = ["FakeWorker", "Run", "run_farm"]

SECRET = "0" * 64
TASK_TYPES = ["misc"]
LOST = {403, 404, 409, 410}


@attrs.define
class Run:
    """A task that a worker was given."""

    task: str
    job: str
    epoch: int
    seq: int = 0
    offset: int = 0
    refused: bool = False


@attrs.define(kw_only=True)
class FakeWorker:
    """One worker; `live` until it is cancelled."""

    url: str
    history: History
    name: str
    chance: random.Random
    beat: float = 1.0
    work: float = 0.05
    """Seconds that a render takes, about."""
    fails: float = 0.0
    """Part of the renders that fail."""
    wait: int = 3
    id: str = ""
    last_seen: float = 0.0
    """When the Manager last answered it, by the event loop's clock."""
    requests: int = 0
    current: Run | None = None
    pause: float = 0.5
    """Seconds between a crash and the next process."""
    http: Http = attrs.field(init=False)
    _life: asyncio.Task[None] | None = None

    def __attrs_post_init__(self) -> None:
        self.http = Http(self.url, timeout=self.wait + 15.0)

    # -- coming and going ----------------------------------------------------------------------

    async def join(self) -> FakeWorker:
        """Register and wake up."""
        body = {
            "name": self.name,
            "platform": "linux",
            "secret": SECRET,
            "supported_task_types": TASK_TYPES,
        }
        answer = await self._persist("register-worker", body)
        assert answer.status == 200, answer.text
        self.id = answer.json()["uuid"]
        self.http.auth = (self.id, SECRET)
        await self.sign_on()
        return self

    async def sign_on(self) -> None:
        """Begin as a new process does."""
        self.history.note("worker", self.id, event="sign-on")
        body = {"name": self.name, "supported_task_types": TASK_TYPES, "software_version": "1"}
        answer = await self._persist("sign-on", body)
        assert answer.status == 200, answer.text
        await self._persist("state-changed", {"status": "awake"})

    async def live(self) -> None:
        """Ask for work and do it, for ever; after a `crash` begin anew."""
        while True:
            self._life = asyncio.create_task(self._process())
            try:
                await asyncio.wait([self._life])
            finally:
                self._life.cancel()
            if not self._life.cancelled():
                self._life.result()
            await asyncio.sleep(self.pause)
            await self.sign_on()

    async def _process(self) -> None:
        following: Run | None = None
        while True:
            run = following or await self.claim()
            following = await self.render(run) if run else None

    def crash(self) -> None:
        """End as a process does that is killed: in the middle of whatever it does."""
        if self._life is not None:
            self._life.cancel()

    # -- work ----------------------------------------------------------------------------------

    async def claim(self, wait: int | None = None) -> Run | None:
        """Ask for a task once; None when there is none, or no answer."""
        wait = self.wait if wait is None else wait
        number = self.history.invoke("claim", self.id)
        answer = await self._ask("POST", "task", headers={"Prefer": f"wait={wait}"})
        run = _run_of(answer)
        facts = attrs.asdict(run) if run else {}
        code = None if answer is None else answer.status
        self.history.settle(number, end_of(answer), code=code, **facts)
        if answer is None or answer.status >= 500:
            await asyncio.sleep(self.chance.uniform(0.1, 0.5))
        elif answer.status == 409:
            # Given up while it could not call; it says that it is there again.
            await self._persist("state-changed", {"status": "awake"})
        elif run is None and answer.status != 204:
            await asyncio.sleep(0.1)
        return run

    async def render(self, run: Run) -> Run | None:
        """Do a task; return the next one if it came along."""
        self.current = run
        facts = {"task": run.task, "epoch": run.epoch, "worker": self.id}
        number = self.history.invoke("render", run.task, **facts)
        try:
            async with asyncio.timeout(None) as end, asyncio.TaskGroup() as group:
                beats = group.create_task(self._beats(run, end))
                await self.report(run, "active", activity="Started", log="start\n")
                if not run.refused:
                    await asyncio.sleep(self.work * self.chance.uniform(0.5, 1.5))
                beats.cancel()
        except TimeoutError:
            run.refused = True
        finally:
            self.current = None
            self.history.settle(number, "ok")
        answer = None if run.refused else await self._finish(run)
        if run.refused:
            self.history.note("refused", run.task, epoch=run.epoch, worker=self.id)
        return self._next(answer)

    async def _finish(self, run: Run) -> Answer | None:
        failed = self.chance.random() < self.fails
        result = "failed" if failed else "completed"
        return await self.report(run, result, log="end\n", following=True)

    def _next(self, answer: Answer | None) -> Run | None:
        run = _run_of(answer)
        if run:
            self.history.note("claim", self.id, **attrs.asdict(run))
        return run

    async def _beats(self, run: Run, end: asyncio.Timeout) -> None:
        while True:
            await asyncio.sleep(self.beat)
            facts = {"task": run.task, "epoch": run.epoch}
            number = self.history.invoke("beat", self.id, **facts)
            answer = await self._ask("GET", f"task/{run.task}/may-i-run")
            self.history.settle(number, end_of(answer))
            if answer is not None and answer.is_success and not answer.json()["mayKeepRunning"]:
                end.reschedule(asyncio.get_running_loop().time())

    async def report(
        self,
        run: Run,
        status: str | None = None,
        *,
        following: bool = False,
        log: str = "",
        **more: Any,
    ) -> Answer | None:
        """Say something of a run until it is taken or refused."""
        run.seq += 1
        body = {"epoch": run.epoch, "seq": run.seq, **more}
        if status:
            body["taskStatus"] = status
        if log:
            body |= {"log": log, "log_offset": run.offset}
            run.offset += len(log.encode())
        while (answer := await self.send(run, body, following=following)) is None or (
            end_of(answer) == "info"
        ):
            await asyncio.sleep(self.chance.uniform(0.05, 0.4))
        if answer.status in LOST:
            run.refused = True
        return answer

    async def send(
        self, run: Run, body: dict[str, Any], *, following: bool = False
    ) -> Answer | None:
        """Send one report once."""
        said = {"task": run.task, "job": run.job, "status": body.get("taskStatus")}
        number = self.history.invoke(
            "update", self.id, epoch=body.get("epoch"), seq=body.get("seq"), **said
        )
        headers = {"Prefer": "next-task"} if following else {}
        answer = await self._ask("POST", f"task/{run.task}", body, headers)
        code = None if answer is None else answer.status
        self.history.settle(number, end_of(answer), code=code)
        return answer

    # -- the wire --------------------------------------------------------------------------------

    async def _persist(self, path: str, body: Any) -> Answer:
        while True:
            answer = await self._ask("POST", path, body)
            if answer is not None and end_of(answer) != "info":
                return answer
            await asyncio.sleep(self.chance.uniform(0.1, 0.4))

    async def _ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer | None:
        self.requests += 1
        head = {"Flamenco-Heartbeat": f"{max(1, round(self.beat))}", **(headers or {})}
        try:
            answer = await self.http.request(
                method, f"/api/v3/worker/{path}", json=body, headers=head
            )
        except NoAnswer:
            return None
        self.last_seen = asyncio.get_running_loop().time()
        return answer


def _run_of(answer: Answer | None) -> Run | None:
    if answer is None or answer.status != 200 or not answer.content:
        return None
    said = answer.json()
    return Run(said["uuid"], said["job"], said["epoch"]) if "epoch" in said else None


@contextlib.asynccontextmanager
async def run_farm(workers: list[FakeWorker]) -> Any:
    """Let workers join and live for a while."""
    async with asyncio.TaskGroup() as joining:
        for worker in workers:
            joining.create_task(worker.join())
    lives = [asyncio.create_task(worker.live()) for worker in workers]
    try:
        yield workers
    finally:
        for life in lives:
            life.cancel()
        ends = await asyncio.gather(*lives, return_exceptions=True)
        for worker in workers:
            worker.http.close()
        failures = [e for e in ends if isinstance(e, Exception)]
    if failures:
        raise failures[0]
