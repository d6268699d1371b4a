"""Invariants that one story shows best; each test is named after its number."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from invariant_checks import Farm, check
from invariant_store import MemoryStore

from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.errors import JobTypeError, NotAllowed, StaleMessage
from flamenco_core.manager.job_types import check_authored
from flamenco_core.manager.usecases import control, recover, report, schedule, submit, workers
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.offers.job_type import AuthoredJob, AuthoredTask, Submission

COMPLETED, FAILED, ACTIVE = TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.ACTIVE


class Story:
    """A farm, told step by step."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.rules = Rules()
        self.numbers: Counter[str] = Counter()

    def uuid(self, kind: str) -> str:
        self.numbers[kind] += 1
        return f"00000000-0000-4000-8000-{ord(kind[0]):04}{self.numbers[kind]:08}"

    def do(self, use_case: Any, *args: Any, **kwargs: Any) -> Any:
        return self.store.write(use_case, *args, self.rules, **kwargs)

    def join(self, *types: str) -> str:
        worker = self.uuid("worker")
        new = workers.Registration(
            uuid=worker,
            secret_hash="x",
            name=f"worker {self.numbers['worker']}",
            address="::1",
            platform="linux",
            task_types=types or ("blender",),
        )
        self.store.write(workers.register_worker, new)
        self.do(workers.state_changed, worker, WorkerStatus.AWAKE)
        return worker

    def submit(self, *tasks: AuthoredTask, id: str = "", priority: int = 50) -> str:
        id = id or self.uuid("job")
        new = Submission(job_id=id, name=id, type="t", priority=priority, created=1)
        job = AuthoredJob(name=id, priority=priority, settings={}, metadata={}, tasks=tasks)
        return str(self.do(submit.submit_job, new, job))

    def frames(self, count: int) -> list[AuthoredTask]:
        return [AuthoredTask(name=f"frame {n}", type="blender") for n in range(count)]

    def claim(self, worker: str) -> Any:
        return self.do(schedule.schedule_task, worker)

    def say(self, worker: str, run: Any, status: TaskStatus, **more: Any) -> Any:
        said = report.Report(status=status, epoch=run.epoch, **more)
        return self.do(report.report_task, worker, run.task_id, said)

    def lose(self, worker: str) -> None:
        self.do(workers.give_up_workers, [worker])

    def ask(self, job: str, status: str) -> None:
        self.do(control.request_job_status, job, JobStatus(status), "because")

    def ask_task(self, run: Any, status: TaskStatus) -> None:
        self.do(control.request_task_status, run.task_id, status, "because")

    def farm(self) -> Farm:
        farm: Farm = self.store.write(Farm.read)
        check(farm, self.rules)
        return farm

    def task(self, run: Any) -> Any:
        return next(task for task in self.farm().tasks.values() if task.uuid == run.task_id)

    def job(self, id: str) -> Any:
        return next(job for job in self.farm().jobs.values() if job.uuid == id)


@pytest.fixture
def story(store: MemoryStore) -> Story:
    return Story(store)


def test_i1_every_task_of_a_job_comes_to_its_end(story: Story) -> None:
    one, other = story.join(), story.join()
    job = story.submit(*story.frames(9), AuthoredTask(name="video", type="blender", parents=(0, 8)))
    for number in range(40):
        worker = (one, other)[number % 2]
        run = story.claim(worker)
        if number % 5 == 4:
            story.lose(worker)
        elif isinstance(run, schedule.AssignedRun):
            story.say(worker, run, COMPLETED)
    assert story.job(job).status == "completed"


def test_i2_a_job_sent_twice_is_there_once(story: Story) -> None:
    id = story.uuid("job")
    assert story.submit(*story.frames(3), id=id) == id
    before = story.farm()
    assert story.submit(*story.frames(5), id=id) == id
    assert story.farm() == before


def test_i2_a_job_is_stored_as_a_whole_or_not_at_all(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(submit.task_rows, "insert_tasks", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        story.submit(*story.frames(3))
    monkeypatch.undo()
    assert not story.farm().jobs
    assert not story.farm().lanes


def test_i4_a_message_of_a_former_run_changes_nothing(story: Story) -> None:
    one, other = story.join(), story.join()
    story.submit(*story.frames(1))
    old = story.claim(one)
    story.lose(one)
    new = story.claim(other)
    assert (new.task_id, new.epoch) == (old.task_id, old.epoch + 1)
    before = story.farm()
    for status in (COMPLETED, FAILED, ACTIVE, TaskStatus.QUEUED):
        with pytest.raises(StaleMessage, match="stop working on it"):
            story.say(one, old, status)
    assert story.farm() == before


@pytest.mark.parametrize("status", ["canceled", "paused", "queued"])
def test_i4_the_epoch_grows_when_a_person_takes_a_task_away(story: Story, status: str) -> None:
    worker = story.join()
    story.submit(*story.frames(2))
    run = story.claim(worker)
    story.ask_task(run, TaskStatus(status))
    assert story.task(run).epoch == run.epoch + 1
    with pytest.raises(StaleMessage):
        story.say(worker, run, COMPLETED)


def test_i4_the_epoch_grows_when_a_job_is_canceled(story: Story) -> None:
    worker = story.join()
    job = story.submit(*story.frames(2))
    run = story.claim(worker)
    story.ask(job, "cancel-requested")
    assert {task.epoch for task in story.farm().tasks.values()} == {1, run.epoch + 1}


@pytest.mark.parametrize("end", [COMPLETED, FAILED])
def test_i4_what_was_lost_and_not_given_again_may_still_deliver(
    story: Story, end: TaskStatus
) -> None:
    worker, _ = story.join(), story.join()
    story.submit(*story.frames(2))
    run = story.claim(worker)
    story.lose(worker)
    assert story.task(run).status == "queued"
    story.say(worker, run, end)
    assert story.task(run).status == {"completed": "completed", "failed": "soft-failed"}[end]


def test_i5_only_a_person_runs_what_is_completed_again(story: Story) -> None:
    worker = story.join()
    job = story.submit(*story.frames(1), AuthoredTask(name="v", type="blender", parents=(0,)))
    run = story.claim(worker)
    story.say(worker, run, COMPLETED)
    for status in (TaskStatus.CANCELED, TaskStatus.PAUSED):
        with pytest.raises(NotAllowed, match="can only be queued again"):
            story.ask_task(run, status)
    story.ask_task(run, TaskStatus.QUEUED)
    # Its child waits again, and the new run counts.
    assert story.claim(worker).epoch == run.epoch + 2
    assert story.job(job).status == "active"


def test_i9_what_is_wrong_at_a_start_is_put_right_and_named(story: Story) -> None:
    jobs = [story.submit(*story.frames(3)) for _ in range(3)]
    before = story.farm()
    cursor = story.store._cursor
    cursor.execute("UPDATE jobs SET status = 'paused', tasks_completed = 2 WHERE id = 2")
    cursor.execute("UPDATE lanes SET open = 0")
    assert story.do(recover.recover_jobs) == [jobs[1]]
    after = story.farm()
    assert after.jobs[2].status == "queued"
    assert {id: job for id, job in after.jobs.items() if id != 2} == {
        id: job for id, job in before.jobs.items() if id != 2
    }, "what was right was not touched"
    assert story.do(recover.recover_jobs) == []


@pytest.mark.parametrize(
    ("asked", "status"), [("cancel-requested", "canceled"), ("pause-requested", "paused")]
)
def test_i10_a_late_failure_does_not_bring_a_job_back(
    story: Story, asked: str, status: str
) -> None:
    worker, _ = story.join(), story.join()
    job = story.submit(*story.frames(20))
    run = story.claim(worker)
    story.ask(job, asked)
    if asked == "pause-requested":
        assert story.job(job).status == "pause-requested"
        story.say(worker, run, FAILED)
        assert story.task(run).status == "paused"
    else:
        with pytest.raises(StaleMessage):
            story.say(worker, run, FAILED)
    assert story.job(job).status == status
    story.ask(job, "requeueing")
    assert story.job(job).status == "queued"


@pytest.mark.parametrize("how", ["said", "signed off", "lost"])
def test_i10_what_comes_back_to_a_paused_job_is_paused(story: Story, how: str) -> None:
    worker = story.join()
    job = story.submit(*story.frames(2))
    run = story.claim(worker)
    story.ask(job, "pause-requested")
    if how == "said":
        story.say(worker, run, TaskStatus.QUEUED)
    elif how == "lost":
        story.lose(worker)
    else:
        story.do(workers.sign_off, worker)
    assert story.task(run).status == "paused"
    assert story.job(job).status == "paused"


def test_i10_a_failed_job_takes_back_no_single_task(story: Story) -> None:
    # It would be canceled at once, for the others still count as failed.
    worker, _ = story.join(), story.join()
    story.rules.limits = story.rules.limits.__class__(workers_per_task=1)
    job = story.submit(*story.frames(10))
    run = story.claim(worker)
    story.say(worker, run, FAILED)
    assert story.job(job).status == "failed"
    with pytest.raises(NotAllowed, match="requeue the job"):
        story.ask_task(run, TaskStatus.QUEUED)
    story.ask(job, "requeueing")
    assert story.job(job).status == "queued"


def test_i10_a_stalled_job_goes_on_with_the_task_that_is_queued_again(story: Story) -> None:
    worker, _ = story.join(), story.join()
    story.rules.limits = story.rules.limits.__class__(workers_per_task=1)
    video = AuthoredTask(name="video", type="blender", parents=tuple(range(19)))
    job = story.submit(*story.frames(19), video)
    runs = [story.claim(worker)]
    story.say(worker, runs[0], FAILED)
    for _ in range(18):
        story.say(worker, story.claim(worker), COMPLETED)
    assert story.job(job).status == "failed"
    story.ask_task(runs[0], TaskStatus.QUEUED)
    assert story.job(job).status == "active"
    other = story.join()
    for _ in range(2):
        story.say(other, story.claim(other), COMPLETED)
    assert story.job(job).status == "completed"


@pytest.mark.parametrize("parents", [((1,), (0,)), ((0,), ()), ((5,), ()), ((-1,), ())])
def test_i11_tasks_that_wait_for_each_other_are_refused(parents: Any) -> None:
    tasks = [AuthoredTask(name=f"t{n}", type="m", parents=p) for n, p in enumerate(parents)]
    job = AuthoredJob(name="j", priority=50, settings={}, metadata={}, tasks=tuple(tasks))
    with pytest.raises(JobTypeError):
        check_authored(job)


def test_i12_types_are_compared_without_case(story: Story) -> None:
    worker = story.join("BLENDER ", "")
    story.submit(AuthoredTask(name="t", type="Blender"))
    assert isinstance(story.claim(worker), schedule.AssignedRun)


def test_i12_a_worker_that_fails_all_it_gets_is_blocked(story: Story) -> None:
    story.rules.failure = story.rules.failure.__class__(100)
    bad, good = story.join(), story.join()
    story.submit(*story.frames(5))
    for _ in range(3):
        story.say(bad, story.claim(bad), FAILED)
    assert story.claim(bad) == schedule.Nothing(((0, "blender"),))
    assert len(story.farm().blocks) == 1
    assert isinstance(story.claim(good), schedule.AssignedRun)


def test_i12_what_a_blocked_worker_failed_for_good_is_tried_by_others(story: Story) -> None:
    story.rules.failure = story.rules.failure.__class__(100)
    story.rules.limits = story.rules.limits.__class__(workers_per_task=1, tasks_per_worker=2)
    bad, _ = story.join(), story.join()
    story.submit(*story.frames(5))
    first, second = story.claim(bad), None
    story.say(bad, first, FAILED)
    assert story.task(first).status == "failed"
    second = story.claim(bad)
    story.say(bad, second, FAILED)
    assert story.task(first).status == "queued"
    assert story.task(second).status == "failed"


def test_i14_a_lost_worker_has_failed_nothing(story: Story) -> None:
    worker = story.join()
    job = story.submit(*story.frames(1))
    run = story.claim(worker)
    story.lose(worker)
    farm = story.farm()
    assert (farm.failures, farm.blocks) == (set(), set())
    assert (story.task(run).status, story.task(run).lost_count) == ("queued", 1)
    # Nobody is at work on it, and the job that has begun goes on.
    assert story.job(job).status == "active"


def test_i14_one_that_is_lost_again_and_again_on_one_worker_is_no_poison(story: Story) -> None:
    worker = story.join()
    story.submit(*story.frames(1))
    for _ in range(5):
        run = story.claim(worker)
        story.lose(worker)
    assert story.task(run).status == "queued"


def test_i15_what_is_lost_on_three_workers_is_given_up(story: Story) -> None:
    first, second, third = story.join(), story.join(), story.join()
    job = story.submit(*story.frames(1))
    for worker in (first, second):
        run = story.claim(worker)
        story.lose(worker)
        assert story.task(run).status == "queued"
    run = story.claim(third)
    story.lose(third)
    assert story.task(run).status == "failed"
    assert "3 different workers" in story.task(run).activity
    assert story.job(job).status == "failed"
    # A person may think otherwise; then it is counted anew.
    story.ask(job, "requeueing")
    run = story.claim(first)
    story.lose(first)
    assert story.task(run).status == "queued"


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("types", [("blender",), ("blender", "ffmpeg")])
def test_i16_jobs_of_one_priority_take_turns(
    story: Story, count: int, types: tuple[str, ...]
) -> None:
    # With N workers, each job is in any 2N assignments in a row; also a job of many kinds.
    everybody = [story.join(*types) for _ in range(count)]
    mixed = [AuthoredTask(name=f"t{n}", type=types[n % len(types)]) for n in range(60)]
    jobs = [story.submit(*mixed), story.submit(*story.frames(60))]
    given = []
    for number in range(70):
        worker = everybody[number % count]
        run = story.claim(worker)
        story.say(worker, run, COMPLETED)
        given.append(run.job_id)
    for start in range(len(given) - 2 * count):
        window = Counter(given[start : start + 2 * count])
        assert set(window) == set(jobs), f"at {start}: {window}"


def test_i16_a_new_job_stands_behind_those_that_wait(story: Story) -> None:
    worker = story.join()
    first = story.submit(*story.frames(3))
    second = story.submit(*story.frames(3))
    given = []
    for _ in range(6):
        run = story.claim(worker)
        story.say(worker, run, COMPLETED)
        given.append(run.job_id)
    assert given == [first, second] * 3


def test_i6_who_spoke_of_a_run_and_asks_again_gets_it_as_a_new_one(story: Story) -> None:
    worker = story.join()
    story.submit(*story.frames(2))
    run = story.claim(worker)
    # The answer may have been lost, or its worker uses no numbers: it is the same run.
    assert story.claim(worker) == run
    story.say(worker, run, ACTIVE)
    assert story.claim(worker) == run
    story.say(worker, run, ACTIVE, seq=2)
    again = story.claim(worker)
    assert (again.task_id, again.epoch) == (run.task_id, run.epoch + 1)
    # It numbers its messages from one again, and they count.
    story.say(worker, again, COMPLETED, seq=1)
    assert story.task(again).status == "completed"
    with pytest.raises(StaleMessage):
        story.say(worker, run, COMPLETED, seq=3)
    assert [a.ended_at is None for a in story.farm().attempts] == [False, False]
