"""A farm in the hands of chance: workers and people, each doing something at any time.

Each rule does what a client could do, also out of turn: late, twice, in another's name.
After each step the data is compared with itself (`invariant_checks`) and with what such a
step may change (`invariant_steps`).
"""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from invariant_chances import (
    ASKED,
    HOW,
    LIMITS,
    PRIORITIES,
    SAID,
    STATUSES,
    STEPS,
    TYPES,
    WISHES,
    picks,
    task_lists,
    uuid,
)
from invariant_checks import Farm, check
from invariant_steps import (
    Results,
    Run,
    check_claim,
    check_heard,
    check_lost,
    check_refused,
    check_step,
)
from invariant_store import Store

from flamenco_core.domain.failures import FailureLimits
from flamenco_core.domain.jobs import FailureRule
from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.errors import Conflict, NotAllowed, StaleMessage
from flamenco_core.manager.usecases import (
    control,
    delete,
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


class FarmMachine(RuleBasedStateMachine):
    """Workers and people of a new farm, whose data is in a store that others open."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.store.empty()
        self.farm_rules = Rules(failure=FailureRule(40))
        self.first_look = offer.FIRST_LOOK
        self.jobs: dict[str, tuple[Submission, AuthoredJob]] = {}
        self.workers: list[str] = []
        self.runs: list[Run] = []
        self.seqs: dict[Run, int] = {}
        self.said: dict[Run, list[report.Report]] = {}
        self.results = Results()
        self.before = self.after = self.read()

    def teardown(self) -> None:
        offer.FIRST_LOOK = self.first_look

    def read(self) -> Farm:
        return self.store.read(Farm.read)  # type: ignore[no-any-return]

    def do(
        self, use_case: Any, *args: Any, by_person: bool = False, about: str = "", **kwargs: Any
    ) -> Any:
        """Do something, and hold it to what such a one may change."""
        # Nobody else writes: the farm is as it was after the last step.
        self.before = self.after
        try:
            return self.store.write(use_case, *args, **kwargs)
        finally:
            self.after = self.read()
            check_step(self.before, self.after, by_person=by_person, about=about)
            self.results.note(self.before, self.after)

    @property
    def is_unchanged(self) -> bool:
        return self.after == self.before

    @initialize(limits=LIMITS, first_look=st.sampled_from([1, 1, 2]))
    def begin(self, limits: FailureLimits, first_look: int) -> None:
        self.farm_rules = attrs.evolve(self.farm_rules, limits=limits)
        offer.FIRST_LOOK = first_look
        self.do(tags.create_tag, uuid(3, 1), "gpu", "", by_person=True)
        self.join(types=[*TYPES], tagged=True)
        self.join(types=[*TYPES], tagged=False)
        frames = [AuthoredTask(name=f"frame {n}", type=TYPES[n % 2]) for n in range(3)]
        video = AuthoredTask(name="video", type="Misc", parents=(0, 1))
        self.submit([*frames, video], 50, paused=False, tagged=False)

    # -- people ------------------------------------------------------------------------------

    @precondition(lambda self: len(self.jobs) < 6)
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
        new = self.do(
            submit.submit_job, submission, job, self.farm_rules, paused=paused, by_person=True
        )
        assert new == id

    def submit_again(self, pick: int) -> None:
        submission, job = self.jobs[self.job(pick)]
        id = self.do(submit.submit_job, submission, job, self.farm_rules, by_person=True)
        assert id == submission.job_id
        assert self.is_unchanged, "the same submission changes nothing"

    def job(self, pick: int) -> str:
        return [*self.jobs][pick % len(self.jobs)]

    @rule(asked=st.sampled_from(ASKED), pick=picks, again=picks)
    def ask(self, asked: tuple[str, str], pick: int, again: int) -> None:
        what, status = asked
        if what == "job":
            self.ask_of_job(self.job(pick), status)
        elif what == "task":
            tasks = [*self.after.tasks.values()]
            self.ask_of_task(tasks[pick % len(tasks)].uuid, status)
        elif what == "worker":
            worker, asked_for = self.worker(pick), WorkerStatus(status)
            self.tell(workers.request_worker_status, worker, asked_for, is_lazy=bool(again % 2))
        elif what == "priority":
            self.tell(control.set_job_priority, self.job(pick), 40 + again % 3 * 10)
        elif again % 3 == 0:
            self.tell(delete.request_deletion, self.job(pick))

    def tell(self, use_case: Any, *args: Any, **kwargs: Any) -> bool:
        """Do what a person asks for; return whether the farm did it."""
        try:
            self.do(use_case, *args, by_person=True, **kwargs)
        except NotAllowed:
            assert self.is_unchanged, "what is refused changes nothing"
            return False
        return True

    def ask_of_job(self, job: str, status: str) -> None:
        self.tell(control.request_job_status, job, JobStatus(status), "because", self.farm_rules)

    def ask_of_task(self, task: str, status: str) -> None:
        asked = TaskStatus(status)
        done = self.tell(control.request_task_status, task, asked, "because", self.farm_rules)
        if done and status == "queued":
            assert self.after.task(task).status == status, "it is not undone in the same breath"

    # -- workers come and go -----------------------------------------------------------------

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
        self.become(worker, WorkerStatus.AWAKE)
        if tagged:
            self.tell(tags.set_worker_tags, worker, [uuid(3, 1)])

    def worker(self, pick: int) -> str:
        return self.workers[pick % len(self.workers)]

    def become(self, worker: str, status: WorkerStatus) -> None:
        self.do(workers.state_changed, worker, status, self.farm_rules)

    @rule(pick=picks, status=st.sampled_from(STATUSES), types=st.sampled_from([TYPES, TYPES[:1]]))
    def come_and_go(self, pick: int, status: str, types: tuple[str, ...]) -> None:
        worker = self.worker(pick)
        if status == "lost":
            self.do(workers.give_up_workers, [worker, uuid(1, 99)], self.farm_rules)
            check_lost(self.before, self.after)
        elif status in {"off", "again"}:
            self.do(workers.sign_off, worker, self.farm_rules)
            if status == "again":
                self.sign_on(worker, types)
        else:
            self.become(worker, WorkerStatus(status))

    def sign_on(self, worker: str, types: tuple[str, ...]) -> None:
        wanted = self.do(
            workers.sign_on,
            worker,
            name="w",
            address="::1",
            software="1",
            task_types=types,
            can_restart=False,
            rules=self.farm_rules,
        )
        self.become(worker, wanted)

    # -- workers work ------------------------------------------------------------------------

    @rule(steps=STEPS)
    def work(self, steps: list[tuple[int, str, str]]) -> None:
        """Let workers work for a while: most of what happens on a farm."""
        for pick, said, how in steps:
            if said == "ask" or not self.runs:
                self.claim(self.worker(pick))
            else:
                # The present run or a former one.
                self.say(self.runs[-1 - pick % min(len(self.runs), 6)], said, how, pick)

    @rule(steps=STEPS)
    def work_on(self, steps: list[tuple[int, str, str]]) -> None:
        self.work(steps)

    def claim(self, worker: str) -> Run | None:
        try:
            found = self.do(schedule.schedule_task, worker, self.farm_rules)
        except Conflict:
            assert self.before.worker(worker).status not in {"awake", "error"}
            return None
        check_claim(self.before, worker, found)
        return self.begun(worker, found)

    def begun(self, worker: str, found: Any) -> Run | None:
        if not isinstance(found, schedule.AssignedRun):
            return None
        run = Run(worker, found.task_id, found.job_id, found.epoch)
        self.runs.append(run)
        return run

    def say(self, run: Run, status: str, how: str, pick: int = 0) -> None:
        if how == "again":
            self.say_again(run, pick)
            return
        if how == "new":
            self.seqs[run] = self.seqs.get(run, 0) + 1
        said = report.Report(
            status=None if status == "steps" else TaskStatus(status),
            activity=f"said {pick}",
            steps_completed=pick % 4,
            epoch=None if how == "stock" else run.epoch,
            seq=None if how in {"stock", "unnumbered"} else self.seqs.get(run, 0),
        )
        worker = self.worker(pick) if how == "other" else run.worker
        if self.is_heard(worker, run, said, go_on=pick % 2 == 0) and said.seq is not None:
            self.said.setdefault(run, []).append(said)
            self.say_again(run)

    def is_heard(self, worker: str, run: Run, said: report.Report, *, go_on: bool) -> bool:
        """Send a message, and ask for the next task in the same breath or not."""
        use_case: Any = report.report_and_schedule if go_on else report.report_task
        try:
            answer = self.do(use_case, worker, run.task, said, self.farm_rules, about=run.task)
        except StaleMessage:
            assert self.is_unchanged, "what is stale changes nothing"
            check_refused(self.before, worker, run.task, said)
            return False
        check_heard(self.before, worker, run.task, said)
        if go_on:
            self.begun(worker, answer[1])
        else:
            assert answer.epoch == self.before.task(run.task).epoch
        return True

    def say_again(self, run: Run, pick: int = 0) -> None:
        """Send something again that was heard, the last or an earlier one."""
        if not (heard := self.said.get(run)):
            return
        self.is_heard(run.worker, run, heard[-1 - pick % len(heard)], go_on=False)
        assert self.is_unchanged, "said twice is said once"

    # -- stories that chance would seldom tell -------------------------------------------------

    @rule(pick=picks, steps=st.lists(picks, max_size=4))
    def take_back(self, pick: int, steps: list[int]) -> None:
        """Take a task from a worker, give it again, and mix up the runs."""
        worker = self.worker(pick)
        if (old := self.claim(worker)) is None:
            return
        for number in steps:
            self.say(old, "steps", "new", number)
        self.ask_of_task(old.task, "canceled")
        self.ask_of_task(old.task, "queued")
        new = self.claim(worker)
        self.say(old, "completed", "new")
        if new is not None:
            self.say(new, "completed", "new", pick)
            self.ask_of_task(new.task, "queued")

    @rule(
        pick=picks,
        wish=WISHES,
        then=st.sampled_from([*SAID, *STATUSES]),
        how=st.sampled_from(HOW),
        at_last=st.just("requeueing") | WISHES,
    )
    def interfere(self, pick: int, wish: str, then: str, how: str, at_last: str) -> None:
        """Cancel or pause a job that somebody has just got a task of; then the worker acts."""
        if (run := self.claim(self.worker(pick))) is None:
            return
        self.ask_of_job(run.job, wish)
        if then in STATUSES:
            self.come_and_go(pick, then, TYPES)
        else:
            self.say(run, then, how, pick)
        self.ask_of_job(run.job, at_last)

    @rule(
        end=st.sampled_from(["failed", "failed", "lost", "queued", "completed"]),
        alone=st.none() | picks,
        times=st.integers(2, 6),
    )
    def end_alike(self, end: str, alone: int | None, times: int) -> None:
        """Let one worker, or each in turn, end all its runs in one way: blocks, and poison."""
        for number in range(times):
            worker = self.worker(number if alone is None else alone)
            self.become(worker, WorkerStatus.AWAKE)
            if (run := self.claim(worker)) is None:
                return
            if end == "lost":
                self.come_and_go(self.workers.index(worker), end, TYPES)
            else:
                self.say(run, end, "stock", 1)

    @rule(pick=picks)
    def start_again(self, pick: int) -> None:
        """Send a job again, and stop and start the Manager."""
        self.submit_again(pick)
        assert self.do(recover.recover_jobs, self.farm_rules) == [], "nothing was wrong"
        assert self.after.jobs == self.before.jobs
        assert self.after.tasks == self.before.tasks

    @invariant()
    def all_is_right(self) -> None:
        check(self.after, self.farm_rules)
        self.results.check(self.after)
