"""A farm in the hands of chance: real use cases on a real database, and a judge.

Each rule does what a client could do, also out of turn: late, twice, in another's name.
After each step the database is compared with itself and with what was promised.
"""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)
from sqlalchemy import func, select

from flamenco_core.clock import new_id
from flamenco_core.domain.jobs import FailureRule, Tally, job_status
from flamenco_core.domain.statuses import JobStatus, TaskStatus, Wanted, WorkerStatus
from flamenco_core.errors import Conflict, NotAllowed, StaleMessage
from flamenco_core.manager.store import tables as t
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.usecases import control, recover, report, schedule, submit, workers
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.offers import AuthoredCommand, AuthoredJob, AuthoredTask, Submission

WORKERS = 3
TYPES = ("blender", "ffmpeg")

ALL_JOBS = Query(select(t.jobs))
ALL_TASKS = Query(select(t.tasks))
ALL_LANES = Query(select(t.lanes))
LIVE = Query(select(t.attempts).where(t.attempts.c.ended_at.is_(None)))
PARENTS = Query(select(t.dependencies.c.task_id, t.dependencies.c.parent_id))
ACCEPTED = Query(
    select(t.attempts.c.task_id, func.count().label("times"))
    .where(t.attempts.c.outcome == "completed")
    .group_by(t.attempts.c.task_id)
)


@attrs.define
class Run:
    """A run of a task as the worker that got it remembers it."""

    worker: str
    task: str
    epoch: int
    seq: int = 0
    said: list[report.Report] = attrs.field(factory=list)


def authored(shape: list[tuple[str, int | None]]) -> tuple[AuthoredTask, ...]:
    """Make tasks: each with a type, and a parent that many places before it, or none."""
    tasks = []
    for place, (task_type, back) in enumerate(shape):
        parents = (place - back,) if back is not None and 0 < back <= place else ()
        command = AuthoredCommand("echo", {"message": "x"})
        tasks.append(
            AuthoredTask(name=f"t{place}", type=task_type, commands=(command,), parents=parents)
        )
    return tuple(tasks)


SHAPES = st.lists(
    st.tuples(st.sampled_from(TYPES), st.none() | st.integers(1, 3)), min_size=1, max_size=6
)
ENDS = st.sampled_from([TaskStatus.COMPLETED, TaskStatus.COMPLETED, TaskStatus.FAILED])


class FarmMachine(RuleBasedStateMachine):
    """Random clients; subclasses bring the database."""

    runs = Bundle("runs")
    old_runs = Bundle("old_runs")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.rules = Rules(failure=FailureRule(40))
        self.jobs: list[str] = []
        self.workers = [new_id() for _ in range(WORKERS)]
        self.epochs: dict[str, int] = {}
        self.asked_again: dict[str, int] = {}
        self.events: list[Any] = []
        self.database = self.open_database()

    def open_database(self) -> Any:
        raise NotImplementedError("a subclass says which database")

    def do(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        return self.runner.run(self.database.write(fn, *args, **kwargs))

    def look(self, query: Query) -> list[Any]:
        return self.runner.run(self.database.read(lambda tx: tx.all(query)))

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.database.start(lambda tx: self.events.extend(tx.events)))
        for number, worker in enumerate(self.workers):
            new = workers.Registration(
                uuid=worker,
                secret_hash="x",
                name=f"w{number}",
                address="127.0.0.1",
                platform="linux",
                task_types=TYPES,
            )
            self.do(workers.register_worker, new)
            self.do(workers.state_changed, worker, WorkerStatus.AWAKE, self.rules)
        self.submit([("blender", None), ("blender", None), ("ffmpeg", 1)], 1, False, True)

    def teardown(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()

    # -- what clients do ---------------------------------------------------------------------

    @rule(shape=SHAPES, priority=st.integers(0, 2), paused=st.booleans(), twice=st.booleans())
    def submit(self, shape: Any, priority: int, paused: bool, twice: bool) -> None:
        if len(self.jobs) >= 6:
            return
        job = new_id()
        submission = Submission(job_id=job, name="j", type="x", priority=priority, created=1)
        made = AuthoredJob(
            name="j", priority=priority, settings={}, metadata={}, tasks=authored(shape)
        )
        for _ in range(1 + twice):
            assert self.do(submit.submit_job, submission, made, self.rules, paused=paused) == job
        self.jobs.append(job)

    @rule(worker=st.integers(0, WORKERS - 1), steps=st.lists(st.integers(0, 2), max_size=4))
    def be_thrown_back(self, worker: int, steps: list[int]) -> None:
        """Get a task, lose it to a person's requeue, get it again, and mix up the runs."""
        old = self.claim(worker)
        if not isinstance(old, Run):
            return
        for number in steps:
            self.progress(old, number)
        self.ask_of_task(self.place(old.task), again=True)
        new = self.claim(worker)
        self.end(old, TaskStatus.COMPLETED, False)
        if isinstance(new, Run):
            self.end(new, TaskStatus.COMPLETED, True)

    def place(self, uuid: str) -> int:
        return next(i for i, row in enumerate(self.look(ALL_TASKS)) if row.uuid == uuid)

    @rule(worker=st.integers(0, WORKERS - 1), number=st.integers(0, 5))
    def cancel_at_work(self, worker: int, number: int) -> None:
        """Cancel a job that somebody has just got a task of; then the result comes."""
        run = self.claim(worker)
        self.ask_of_job(number, JobStatus.CANCEL_REQUESTED)
        if isinstance(run, Run):
            self.end(run, TaskStatus.COMPLETED, True)

    @rule(target=runs, worker=st.integers(0, WORKERS - 1))
    def claim(self, worker: int) -> Any:
        try:
            got = self.do(schedule.schedule_task, self.workers[worker], self.rules)
        except Conflict:
            return multiple()
        if not isinstance(got, schedule.AssignedRun):
            return multiple()
        return Run(self.workers[worker], got.task_id, got.epoch)

    @rule(target=old_runs, run=consumes(runs), end=ENDS, twice=st.booleans())
    def end(self, run: Run, end: TaskStatus, twice: bool) -> Run:
        run.seq += 1
        self.say(run, report.Report(status=end, epoch=run.epoch, seq=run.seq))
        if twice:
            self.repeat(run, 0)
        return run

    @rule(run=runs, steps=st.integers(0, 3))
    def progress(self, run: Run, steps: int) -> None:
        run.seq += 1
        status = TaskStatus.ACTIVE if steps == 0 else None
        self.say(
            run, report.Report(status=status, steps_completed=steps, epoch=run.epoch, seq=run.seq)
        )

    @rule(run=old_runs, status=st.sampled_from([*TaskStatus][:3]), numbered=st.booleans())
    def speak_late(self, run: Run, status: TaskStatus, numbered: bool) -> None:
        seq = run.seq + 1 if numbered else None
        self.say(run, report.Report(status=status, epoch=run.epoch, seq=seq))

    @rule(run=runs, worker=st.integers(0, WORKERS - 1))
    def speak_for_another(self, run: Run, worker: int) -> None:
        if self.workers[worker] == run.worker:
            return
        said = report.Report(status=TaskStatus.COMPLETED, epoch=run.epoch, seq=99)
        try:
            self.do(report.report_task, self.workers[worker], run.task, said, self.rules)
        except StaleMessage:
            return
        raise AssertionError("a message in another's name was accepted")

    @rule(run=runs, which=st.integers(0, 9))
    def repeat(self, run: Run, which: int) -> None:
        if not run.said:
            return
        before = self.task(run.task)
        self.say(run, run.said[-1 - which % len(run.said)], again=True)
        assert self.task(run.task) == before, "a message that was sent again changed something"

    def say(self, run: Run, said: report.Report, *, again: bool = False) -> None:
        is_old = self.task(run.task).epoch != run.epoch
        try:
            self.do(report.report_task, run.worker, run.task, said, self.rules)
        except StaleMessage:
            return
        assert not is_old, "a message of an old epoch was accepted"
        if not again:
            run.said.append(said)

    def task(self, uuid: str) -> Any:
        return next(row for row in self.look(ALL_TASKS) if row.uuid == uuid)

    @rule(
        number=st.integers(0, 5),
        status=st.sampled_from(
            [JobStatus.CANCEL_REQUESTED, JobStatus.PAUSE_REQUESTED, JobStatus.REQUEUEING]
        ),
    )
    def ask_of_job(self, number: int, status: JobStatus) -> None:
        job = self.jobs[number % len(self.jobs)]
        held = {task.uuid: task.epoch for task in self.look(ALL_TASKS) if task.status == "active"}
        try:
            self.do(control.request_job_status, job, status, "a test", self.rules)
        except NotAllowed:
            return
        id = next(row.id for row in self.look(ALL_JOBS) if row.uuid == job)
        if status is JobStatus.CANCEL_REQUESTED:
            for task in self.look(ALL_TASKS):
                if task.job_id == id and task.uuid in held:
                    assert task.epoch > held[task.uuid], "a cancel must fence off the worker"
        if status is JobStatus.REQUEUEING:
            for task in self.look(ALL_TASKS):
                if task.job_id == id:
                    self.asked_again[task.uuid] = self.asked_again.get(task.uuid, 0) + 1

    @rule(number=st.integers(0, 30), again=st.booleans())
    def ask_of_task(self, number: int, again: bool) -> None:
        tasks = self.look(ALL_TASKS)
        number %= len(tasks)
        task = tasks[number].uuid
        status = TaskStatus.QUEUED if again else TaskStatus.CANCELED
        try:
            self.do(control.request_task_status, task, status, "a test", self.rules)
        except NotAllowed:
            return
        if again:
            self.asked_again[task] = self.asked_again.get(task, 0) + 1

    @rule(worker=st.integers(0, WORKERS - 1), how=st.sampled_from(["lost", "off", "asleep"]))
    def leave(self, worker: int, how: str) -> None:
        name = self.workers[worker]
        if how == "lost":
            self.do(workers.give_up_workers, [name], self.rules)
        elif how == "off":
            self.do(workers.sign_off, name, self.rules)
        else:
            self.do(workers.state_changed, name, WorkerStatus.ASLEEP, self.rules)

    @rule(worker=st.integers(0, WORKERS - 1))
    def come_back(self, worker: int) -> None:
        self.do(workers.state_changed, self.workers[worker], WorkerStatus.AWAKE, self.rules)

    @rule()
    def start_anew(self) -> None:
        assert self.do(recover.recover_jobs, self.rules) == [], "something had to be repaired"

    # -- what must hold ----------------------------------------------------------------------

    @invariant()
    def jobs_follow_their_tasks(self) -> None:
        tasks = self.look(ALL_TASKS)
        for job in self.look(ALL_JOBS):
            own = [task for task in tasks if task.job_id == job.id]
            count = {s: sum(task.status == s for task in own) for s in TaskStatus}
            assert job.tasks_total == len(own)
            assert job.tasks_completed == count[TaskStatus.COMPLETED]
            assert job.tasks_failed == count[TaskStatus.FAILED]
            assert job.tasks_canceled == count[TaskStatus.CANCELED]
            assert job.tasks_paused == count[TaskStatus.PAUSED]
            assert job.steps_completed == sum(task.steps_completed for task in own)
            tally = Tally(
                total=len(own),
                completed=count[TaskStatus.COMPLETED],
                failed=count[TaskStatus.FAILED],
                canceled=count[TaskStatus.CANCELED],
                paused=count[TaskStatus.PAUSED],
                active=count[TaskStatus.ACTIVE],
                can_start=any(task.ready for task in own),
            )
            expected = job_status(Wanted(job.wanted), bool(job.started), tally, self.rules.failure)
            assert job.status == expected

    @invariant()
    def wishes_beat_messages(self) -> None:
        for job in self.look(ALL_JOBS):
            if job.wanted in {Wanted.PAUSE, Wanted.CANCEL}:
                assert job.status not in {JobStatus.ACTIVE, JobStatus.QUEUED}

    @invariant()
    def every_active_task_has_one_lease(self) -> None:
        active = {task.id: task for task in self.look(ALL_TASKS) if task.status == "active"}
        live = self.look(LIVE)
        assert sorted(run.task_id for run in live) == sorted(active)
        for run in live:
            assert run.epoch == active[run.task_id].epoch
            assert run.worker_id == active[run.task_id].worker_id
        assert len({(run.worker_id, run.slot) for run in live}) == len(live)

    @invariant()
    def what_can_run_can_be_found(self) -> None:
        running = {job.id for job in self.look(ALL_JOBS) if job.wanted == Wanted.RUN}
        lanes = {lane.id: lane for lane in self.look(ALL_LANES)}
        for task in self.look(ALL_TASKS):
            if task.ready and task.job_id in running:
                assert lanes[task.lane_id].open, "a task that can run lies in a closed lane"

    @invariant()
    def parents_come_first(self) -> None:
        tasks = {task.id: task for task in self.look(ALL_TASKS)}
        unfinished = dict.fromkeys(tasks, 0)
        for task, parent in self.look(PARENTS):
            unfinished[task] += tasks[parent].status != "completed"
        assert {id: task.unfinished_parents for id, task in tasks.items()} == unfinished

    @invariant()
    def epochs_only_grow(self) -> None:
        for task in self.look(ALL_TASKS):
            assert task.epoch >= self.epochs.get(task.uuid, 0)
            self.epochs[task.uuid] = task.epoch

    @invariant()
    def results_are_accepted_once(self) -> None:
        tasks = {task.id: task for task in self.look(ALL_TASKS)}
        for row in self.look(ACCEPTED):
            allowed = 1 + self.asked_again.get(tasks[row.task_id].uuid, 0)
            assert row.times <= allowed, "a result was accepted again without anybody asking"
