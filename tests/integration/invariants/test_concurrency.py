"""Many workers and people at the same moment: the same invariants, with real races."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest
from invariant_checks import Farm, check

from flamenco_core.clock import SystemClock, new_id
from flamenco_core.domain.failures import FailureLimits
from flamenco_core.domain.jobs import FailureRule
from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.errors import Refused
from flamenco_core.manager.store.database import Database, open_database
from flamenco_core.manager.usecases import control, recover, report, schedule, submit, workers
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.offers.job_type import AuthoredJob, AuthoredTask, Submission

ROUNDS = 40 * int(os.environ.get("FLAMENCO_LONG_TESTS", "1"))
WORKERS = 12
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
SAYS = [*[TaskStatus.COMPLETED] * 6, *[TaskStatus.FAILED] * 2, TaskStatus.QUEUED]
ASKS = [JobStatus.CANCEL_REQUESTED, JobStatus.PAUSE_REQUESTED, *[JobStatus.REQUEUEING] * 3]


@attrs.define
class Crowd:
    """Clients of one farm, which one or more Managers serve."""

    managers: list[Database]
    random: Random
    rules: list[Rules] = attrs.field(factory=list)
    workers: list[str] = attrs.field(factory=list)
    jobs: list[str] = attrs.field(factory=list)
    accepted: list[tuple[str, int]] = attrs.field(factory=list)
    requeued: set[str] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        limits = FailureLimits(workers_per_task=2, tasks_per_worker=3)
        self.rules = [
            Rules(failure=FailureRule(60, at_least=1), limits=limits) for _ in self.managers
        ]

    async def do(self, use_case: Any, *args: Any, **kwargs: Any) -> Any:
        """Send a request to some Manager; a refusal is an answer."""
        which = self.random.randrange(len(self.managers))
        rules = () if use_case is workers.register_worker else (self.rules[which],)
        try:
            return await self.managers[which].write(use_case, *args, *rules, **kwargs)
        except Refused as refusal:
            return refusal

    async def join(self) -> None:
        worker = new_id()
        new = workers.Registration(
            uuid=worker,
            secret_hash="x",
            name=f"worker {len(self.workers)}",
            address="::1",
            platform="linux",
            task_types=["blender", "misc"],
        )
        await self.do(workers.register_worker, new)
        await self.do(workers.state_changed, worker, WorkerStatus.AWAKE)
        self.workers.append(worker)

    async def submit(self) -> None:
        frames = [AuthoredTask(name=f"f{n}", type="blender") for n in range(15)]
        after = [AuthoredTask(name=f"c{n}", type="misc", parents=(n, n + 1)) for n in range(5)]
        video = AuthoredTask(name="v", type="misc", parents=tuple(range(20)))
        job = AuthoredJob(
            name="j", priority=50, settings={}, metadata={}, tasks=(*frames, *after, video)
        )
        new = Submission(job_id=new_id(), name="j", type="t", priority=50, created=1)
        # Twice at once: a client that got no answer asks again.
        both = await asyncio.gather(*(self.do(submit.submit_job, new, job) for _ in range(2)))
        assert both == [new.job_id, new.job_id]
        self.jobs.append(new.job_id)

    # -- what they do ------------------------------------------------------------------------

    async def work(self, worker: str) -> None:
        run: Any = None
        for _ in range(ROUNDS):
            if self.random.random() < 0.04:
                await self.go_away(worker)
                run = None
            if not isinstance(run, schedule.AssignedRun):
                run = await self.do(schedule.schedule_task, worker)
                await asyncio.sleep(0)
                continue
            run = await self.report(worker, run)

    async def report(self, worker: str, run: schedule.AssignedRun) -> Any:
        status = self.random.choice(SAYS)
        said = report.Report(status=status, epoch=run.epoch, seq=2)
        started = report.Report(status=TaskStatus.ACTIVE, activity="x", epoch=run.epoch, seq=1)
        await self.do(report.report_task, worker, run.task_id, started)
        # An answer that got lost: the same is said again, at the same moment.
        again = [self.do(report.report_task, worker, run.task_id, said) for _ in range(2)]
        answers = await asyncio.gather(*again)
        if status is TaskStatus.COMPLETED and isinstance(answers[0], report.Accepted):
            self.accepted.append((run.task_id, run.epoch))
        if self.random.random() < 0.5:
            found = await self.do(report.report_and_schedule, worker, run.task_id, said)
            return found if isinstance(found, Refused) else found[1]
        # Two requests at once must give one task, not two.
        asked = [self.do(schedule.schedule_task, worker) for _ in range(2)]
        return (await asyncio.gather(*asked))[0]

    async def go_away(self, worker: str) -> None:
        if self.random.random() < 0.5:
            await self.do(workers.give_up_workers, [worker, self.random.choice(self.workers)])
        else:
            await self.do(workers.sign_off, worker)
        await self.do(workers.state_changed, worker, WorkerStatus.AWAKE)

    async def ask(self) -> None:
        for _ in range(ROUNDS // 2):
            await asyncio.sleep(0.002)
            job = self.random.choice(self.jobs)
            await self.do(control.request_job_status, job, self.random.choice(ASKS), "because")
            for task, _ in self.accepted[-1:]:
                self.requeued.add(task)
                await self.do(control.request_task_status, task, TaskStatus.QUEUED, "again")

    async def start_another(self) -> None:
        """Do what a Manager does that starts while others are at work: find all in order."""
        for _ in range(ROUNDS // 4):
            await asyncio.sleep(0.01)
            manager, rules = self.managers[0], self.rules[0]
            assert await manager.read(recover.jobs_to_recover, rules) == []
            assert not await manager.write(recover.recover_job, self.jobs[0], rules)

    async def look(self) -> None:
        for _ in range(ROUNDS // 4):
            check(await self.managers[-1].read(Farm.read), self.rules[0])
            await asyncio.sleep(0.01)


@pytest.fixture(params=BOTH)
async def crowd(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Crowd]:
    urls = [str(tmp_path / "farm")]
    if request.param == "postgresql":
        urls = [request.getfixturevalue("postgresql_url")] * 2
    managers = [open_database(url, SystemClock()) for url in urls]
    for manager in managers:
        await manager.start(lambda tx: None)
    yield Crowd(managers, Random(4))
    for manager in managers:
        await manager.close()


async def test_many_at_once_leave_the_farm_right(crowd: Crowd) -> None:
    for _ in range(WORKERS):
        await crowd.join()
    for _ in range(3):
        await crowd.submit()
    await asyncio.gather(
        *(crowd.work(worker) for worker in crowd.workers),
        crowd.ask(),
        crowd.look(),
        crowd.start_another(),
    )
    farm = await crowd.managers[0].read(Farm.read)
    check(farm, crowd.rules[0])
    completed = [(a.task_id, a.epoch) for a in farm.attempts if a.outcome == "completed"]
    ids = {task.uuid: task.id for task in farm.tasks.values()}
    accepted = {(ids[task], epoch) for task, epoch in crowd.accepted}
    assert accepted <= set(completed), "what was acknowledged is stored"
    assert len(accepted) > ROUNDS, "and much was done"
    assert await crowd.managers[0].write(recover.recover_jobs, crowd.rules[0]) == []


async def test_many_claims_at_once_give_each_task_once(crowd: Crowd) -> None:
    await crowd.submit()
    for _ in range(WORKERS):
        await crowd.join()
    given = await asyncio.gather(*(crowd.do(schedule.schedule_task, w) for w in crowd.workers))
    assert all(isinstance(run, schedule.AssignedRun) for run in given)
    assert len({run.task_id for run in given}) == WORKERS
    check(await crowd.managers[0].read(Farm.read), crowd.rules[0])


async def test_a_cancel_leaves_nothing_of_what_is_claimed_at_that_moment(crowd: Crowd) -> None:
    for _ in range(WORKERS):
        await crowd.join()
    for _ in range(10):
        await crowd.submit()
        ask = crowd.do(
            control.request_job_status, crowd.jobs[-1], JobStatus.CANCEL_REQUESTED, "because"
        )
        claims = [crowd.do(schedule.schedule_task, worker) for worker in crowd.workers]
        await asyncio.gather(*claims[:6], ask, *claims[6:])
        farm = await crowd.managers[0].read(Farm.read)
        check(farm, crowd.rules[0])
        assert {task.status for task in farm.tasks.values()} == {"canceled"}


async def test_the_last_parents_at_once_let_their_child_go(crowd: Crowd) -> None:
    for _ in range(WORKERS):
        await crowd.join()
    for _ in range(5):
        frames = [AuthoredTask(name=f"f{n}", type="blender") for n in range(WORKERS)]
        video = AuthoredTask(name="v", type="misc", parents=tuple(range(WORKERS)))
        job = AuthoredJob(name="j", priority=50, settings={}, metadata={}, tasks=(*frames, video))
        new = Submission(job_id=new_id(), name="j", type="t", priority=50, created=1)
        await crowd.do(submit.submit_job, new, job)
        runs = await asyncio.gather(*(crowd.do(schedule.schedule_task, w) for w in crowd.workers))
        done = [report.Report(status=TaskStatus.COMPLETED, epoch=run.epoch) for run in runs]
        found = await asyncio.gather(
            *(
                crowd.do(report.report_and_schedule, worker, run.task_id, said)
                for worker, run, said in zip(crowd.workers, runs, done, strict=True)
            )
        )
        last = [answer[1] for answer in found if isinstance(answer[1], schedule.AssignedRun)]
        assert len(last) == 1
        worker = crowd.workers[[answer[1] for answer in found].index(last[0])]
        said = report.Report(status=TaskStatus.COMPLETED, epoch=last[0].epoch)
        await crowd.do(report.report_task, worker, last[0].task_id, said)
        farm = await crowd.managers[0].read(Farm.read)
        check(farm, crowd.rules[0])
        assert {j.status for j in farm.jobs.values()} == {"completed"}
