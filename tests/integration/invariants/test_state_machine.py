"""Any order of what workers and people do leaves the farm's data right: I1-I6, I9-I12, I14, I15.

The checks are in `invariant_checks`; what each step may and may not change is said here.
"""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from invariant_checks import Farm, check
from invariant_store import MemoryStore

from flamenco_core.domain.failures import FailureLimits
from flamenco_core.domain.jobs import FailureRule
from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.errors import Conflict, NotAllowed, Refused, StaleMessage
from flamenco_core.manager.usecases import (
    control,
    offer,
    recover,
    report,
    schedule,
    submit,
    tags,
    workers,
)
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.offers.job_type import AuthoredJob, AuthoredTask, Submission

TYPES = ("blender", "Misc")
PRIORITIES = st.sampled_from([40, 50, 60])
picks = st.integers(0, 1_000)
SAID = st.sampled_from(
    [*["ask"] * 6, *["completed"] * 3, *["failed"] * 2, "active", "steps", "queued", "canceled"]
)


STEPS = st.lists(st.tuples(picks, SAID, st.booleans(), st.booleans()), min_size=4, max_size=12)
ASKED = [
    *(("job", word) for word in ("cancel-requested", "pause-requested", "paused")),
    *(("job", word) for word in ("requeueing", "requeueing", "queued")),
    *(("task", word) for word in ("queued", "queued", "queued", "canceled", "paused")),
    *(("worker", word) for word in ("awake", "asleep")),
    ("priority", ""),
]
STATUSES = ["awake", "awake", "asleep", "offline", "starting", "lost", "lost", "again", "again"]


def uuid(kind: int, number: int) -> str:
    return f"00000000-0000-4000-800{kind}-{number:012}"


@attrs.frozen
class Run:
    """A run as its worker knows it; it may be over long since."""

    worker: str
    task: str
    epoch: int


@st.composite
def task_lists(draw: st.DrawFn) -> list[AuthoredTask]:
    tasks = []
    for place in range(draw(st.integers(0, 5))):
        parents = draw(st.sets(st.integers(0, place - 1), max_size=2)) if place else set()
        tasks.append(
            AuthoredTask(
                name=f"task {place}",
                type=draw(st.sampled_from(TYPES)),
                priority=draw(PRIORITIES),
                parents=tuple(parents),
            )
        )
    return tasks


class FarmMachine(RuleBasedStateMachine):
    """Workers and people, each doing something at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        # Low limits, and a short first look: the rare ways are taken often.
        self.rules = Rules(
            failure=FailureRule(40),
            limits=FailureLimits(workers_per_task=2, tasks_per_worker=2),
        )
        self.looks, offer.FIRST_LOOK = offer.FIRST_LOOK, 1
        self.jobs: dict[str, tuple[Submission, AuthoredJob]] = {}
        self.workers: list[str] = []
        self.runs: list[Run] = []
        self.seqs: dict[Run, int] = {}
        self.before = self.read()

    def teardown(self) -> None:
        offer.FIRST_LOOK = self.looks
        self.store.close()

    def read(self) -> Farm:
        return self.store.write(Farm.read)  # type: ignore[no-any-return]

    def do(self, use_case: Any, *args: Any, by: str = "person", **kwargs: Any) -> Any:
        """Do something, and hold it to what such a one may change."""
        self.before = self.read()
        try:
            return self.store.write(use_case, *args, **kwargs)
        finally:
            self.check_step(by)

    def check_step(self, by: str) -> None:
        after = self.read()
        for id, old in self.before.tasks.items():
            new = after.tasks[id]
            assert new.epoch >= old.epoch, "epochs only grow"
            if by != "person" and old.status in {"completed", "canceled"}:
                assert new.status == old.status, f"{old.status} stays, whatever workers say"
            assert new.epoch <= old.epoch + 1, "one step, one epoch"
            if by != "person" and self.before.jobs[old.job_id].wanted == "pause":
                assert old.status != "active" or new.status not in {"queued", "soft-failed"}
        for id, job in self.before.jobs.items():
            if by != "person" and job.wanted in {"pause", "cancel"}:
                assert after.jobs[id].wanted in {job.wanted, "fail"}
                assert after.jobs[id].status not in {"active", "queued"}, "people's wish beats"

    # -- people ------------------------------------------------------------------------------

    @initialize()
    def two_workers(self) -> None:
        self.store.write(tags.create_tag, uuid(3, 1), "gpu", "")
        self.join(types=[*TYPES], tagged=True)
        self.join(types=[*TYPES], tagged=False)
        frames = [AuthoredTask(name=f"frame {n}", type=TYPES[n % 2]) for n in range(3)]
        video = AuthoredTask(name="video", type="Misc", parents=(0, 1))
        self.submit([*frames, video], 50, paused=False, tagged=False)

    @precondition(lambda self: len(self.workers) < 4)
    @rule(types=st.lists(st.sampled_from(TYPES), min_size=1, unique=True), tagged=st.booleans())
    def join(self, types: list[str], tagged: bool) -> None:
        worker = uuid(1, len(self.workers))
        self.workers.append(worker)
        new = workers.Registration(
            uuid=worker,
            secret_hash="x",
            name=f"worker {len(self.workers)}",
            address="::1",
            platform="linux",
            task_types=types,
        )
        self.do(workers.register_worker, new)
        self.do(workers.state_changed, worker, WorkerStatus.AWAKE, self.rules, by="worker")
        if tagged:
            self.do(tags.set_worker_tags, worker, [uuid(3, 1)])

    @precondition(lambda self: len(self.jobs) < 5)
    @rule(tasks=task_lists(), priority=PRIORITIES, paused=st.booleans(), tagged=st.booleans())
    def submit(self, tasks: list[AuthoredTask], priority: int, paused: bool, tagged: bool) -> None:
        id = uuid(2, len(self.jobs))
        submission = Submission(
            job_id=id,
            name=id,
            type="t",
            priority=priority,
            created=1,
            worker_tag=uuid(3, 1) if tagged else "",
        )
        job = AuthoredJob(name=id, priority=priority, settings={}, metadata={}, tasks=tuple(tasks))
        self.jobs[id] = (submission, job)
        assert self.do(submit.submit_job, submission, job, self.rules, paused=paused) == id

    def job(self, pick: int) -> str:
        return [*self.jobs][pick % len(self.jobs)]

    def submit_again(self, pick: int) -> None:
        submission, job = self.jobs[self.job(pick)]
        before = self.read()
        assert self.do(submit.submit_job, submission, job, self.rules) == submission.job_id
        assert self.read() == before, "the same submission changes nothing"

    @rule(asked=st.sampled_from(ASKED), pick=picks, again=picks)
    def ask(self, asked: tuple[str, str], pick: int, again: int) -> None:
        what, status = asked
        if what == "job":
            self.ask_of_job(pick, status)
        elif what == "task":
            self.ask_of_task(pick, status)
        elif what == "worker":
            self.ask_of_worker(pick, bool(again % 2), status)
        else:
            self.do(control.set_job_priority, self.job(pick), 40 + again % 3 * 10)

    def ask_of_job(self, pick: int, status: str) -> None:
        try:
            self.do(control.request_job_status, self.job(pick), JobStatus(status), "r", self.rules)
        except NotAllowed:
            assert self.read() == self.before

    def ask_of_task(self, pick: int, status: str) -> None:
        if not (tasks := [*self.before.tasks.values()]):
            return
        task = tasks[pick % len(tasks)]
        asked = TaskStatus(status)
        try:
            self.do(control.request_task_status, task.uuid, asked, "r", self.rules)
        except NotAllowed:
            assert self.read() == self.before
            return
        if asked is TaskStatus.QUEUED:
            # What a person asks for is not undone in the same breath.
            assert self.read().tasks[task.id].status == "queued"

    def ask_of_worker(self, pick: int, is_lazy: bool, status: str) -> None:
        worker = self.workers[pick % len(self.workers)]
        self.do(workers.request_worker_status, worker, WorkerStatus(status), is_lazy=is_lazy)

    # -- workers -----------------------------------------------------------------------------

    def check_assignment(self, worker: str, found: Any) -> None:
        farm, row = self.before, self.row_of(worker)
        held = [a for a in farm.attempts if a.worker_id == row.id and a.ended_at is None]
        eligible = [*farm.eligible(row)]
        if isinstance(found, schedule.Nothing):
            assert not eligible, "there was something to do"
        if not isinstance(found, schedule.AssignedRun):
            return
        self.runs.append(Run(worker, found.task_id, found.epoch))
        task = next(task for task in farm.tasks.values() if task.uuid == found.task_id)
        if held:
            assert (held[0].task_id, held[0].epoch) == (task.id, found.epoch), "given again"
            return
        assert task.id in {other.id for other in eligible}
        assert farm.rank(task) == max(map(farm.rank, eligible)), "the most urgent first"
        assert found.epoch == task.epoch + 1
        assert not row.status_requested
        assert row.status in {"awake", "error"}

    def row_of(self, worker: str) -> Any:
        return next(row for row in self.before.workers.values() if row.uuid == worker)

    @rule(steps=STEPS)
    def work(self, steps: list[tuple[int, str, bool, bool]]) -> None:
        """Let workers work for a while: most of what happens on a farm."""
        for pick, said, is_new, is_stock in steps:
            if said == "ask" or not self.runs:
                self.claim(pick)
            else:
                self.say(pick, said, is_new=is_new, is_stock=is_stock)

    @rule(steps=STEPS)
    def work_on(self, steps: list[tuple[int, str, bool, bool]]) -> None:
        self.work(steps)

    def claim(self, pick: int) -> None:
        worker = self.workers[pick % len(self.workers)]
        try:
            found = self.do(schedule.schedule_task, worker, self.rules, by="worker")
        except Conflict:
            assert self.row_of(worker).status not in {"awake", "error"}
            return
        self.check_assignment(worker, found)

    def say(self, pick: int, status: str, *, is_new: bool, is_stock: bool) -> None:
        # The present run or a former one, in turn or again, by our Worker or Flamenco's own.
        run = self.runs[-1 - pick % min(len(self.runs), 6)]
        if is_new:
            self.seqs[run] = self.seqs.get(run, 0) + 1
        said = report.Report(
            status=None if status == "steps" else TaskStatus(status),
            activity=f"said {pick}",
            steps_completed=pick % 3,
            epoch=None if is_stock else run.epoch,
            seq=None if is_stock else self.seqs.get(run, 0),
        )
        self.tell(run, said, go_on=pick % 2 == 0)

    def tell(self, run: Run, said: report.Report, *, go_on: bool = False) -> None:
        use_case: Any = report.report_and_schedule if go_on else report.report_task
        try:
            answer = self.do(use_case, run.worker, run.task, said, self.rules, by="worker")
        except StaleMessage:
            assert self.read() == self.before, "what is stale changes nothing"
            return
        row = next(t for t in self.before.tasks.values() if t.uuid == run.task)
        assert said.epoch in {None, row.epoch}, "only the present run is heard"
        if not go_on:
            assert answer.epoch == row.epoch
            self.repeat(run, said)
        elif isinstance(answer[1], schedule.AssignedRun):
            self.runs.append(Run(run.worker, answer[1].task_id, answer[1].epoch))

    def repeat(self, run: Run, said: report.Report) -> None:
        if said.seq is None:
            return
        before = self.read()
        self.do(report.report_task, run.worker, run.task, said, self.rules, by="worker")
        assert self.read() == before, "said twice is said once"

    @rule(pick=picks, status=st.sampled_from(STATUSES), types=st.sampled_from([TYPES, TYPES[:1]]))
    def come_and_go(self, pick: int, status: str, types: tuple[str, ...]) -> None:
        worker = self.workers[pick % len(self.workers)]
        if status == "lost":
            self.lose(worker)
        elif status == "again":
            self.sign_off_and_on(worker, types)
        else:
            now = WorkerStatus(status)
            self.do(workers.state_changed, worker, now, self.rules, by="worker")

    def lose(self, worker: str) -> None:
        self.do(workers.give_up_workers, [worker, uuid(1, 99)], self.rules, by="worker")
        after = self.read()
        assert after.failures == self.before.failures, "a lost worker has failed nothing"
        assert after.blocks == self.before.blocks
        for id, old in self.before.tasks.items():
            if after.tasks[id].status == "failed" != old.status:
                lost = {
                    a.worker_id for a in after.attempts if a.task_id == id and a.outcome == "lost"
                }
                assert len(lost) >= 3, "poison is what was lost on three workers"

    def sign_off_and_on(self, worker: str, types: tuple[str, ...]) -> None:
        self.do(workers.sign_off, worker, self.rules, by="worker")
        wanted = self.do(
            workers.sign_on,
            worker,
            name="w",
            address="::1",
            software="1",
            task_types=types,
            can_restart=False,
            rules=self.rules,
            by="worker",
        )
        self.do(workers.state_changed, worker, wanted, self.rules, by="worker")

    @precondition(lambda self: self.runs)
    @rule(pick=picks)
    def start_again(self, pick: int) -> None:
        self.submit_again(pick)
        self.restart()

    def restart(self) -> None:
        self.before = self.read()
        assert self.store.write(recover.recover_jobs, self.rules) == [], "nothing was wrong"
        after = self.read()
        assert after.jobs == self.before.jobs
        assert after.tasks == self.before.tasks

    @invariant()
    def all_is_right(self) -> None:
        check(self.read(), self.rules)


def test_any_order_of_steps_leaves_the_farm_right() -> None:
    run_state_machine_as_test(FarmMachine, settings=settings.get_profile("invariants"))


def test_refusals_are_of_one_family() -> None:
    assert issubclass(StaleMessage, Conflict)
    assert issubclass(NotAllowed, Refused)
