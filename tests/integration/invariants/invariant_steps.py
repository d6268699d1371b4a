"""What one step may change, and what its answer must be; by the farm as it was before."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
from invariant_checks import Farm

from flamenco_core.manager.usecases.report import Report
from flamenco_core.manager.usecases.schedule import AssignedRun, Nothing


@attrs.frozen
class Run:
    """A run as its worker knows it; it may be over long since."""

    worker: str
    task: str
    job: str
    epoch: int


def check_step(before: Farm, after: Farm, *, by_person: bool, about: str = "") -> None:
    """Hold whoever made a step to what such a one may change; *about* is a worker's task."""
    for id, old in before.tasks.items():
        new, job = after.tasks[id], before.jobs[old.job_id]
        if new.status == "queued" != old.status:
            assert after.jobs[old.job_id].wanted == "run", "what is held back is not queued"
        if old.uuid != about:
            _check_fence(old, new, by_person=by_person)
        assert old.epoch <= new.epoch <= old.epoch + 1, "epochs only grow; one step, one epoch"
        if not by_person:
            _check_words(old, new, job)
    for id, job in before.jobs.items():
        if not by_person:
            _check_wish(job, after.jobs[id])


def _check_fence(old: Any, new: Any, *, by_person: bool) -> None:
    if new.status == old.status:
        return
    if new.status == "canceled":
        assert new.epoch > old.epoch, "a cancel fences off whoever has the task"
    if by_person and new.status == "queued":
        assert new.epoch > old.epoch, "what people queue again is another run"
    if by_person and old.status == "active":
        assert new.epoch > old.epoch, "what people take away is fenced off"


def _check_words(old: Any, new: Any, job: Any) -> None:
    if old.status in {"completed", "canceled"}:
        assert new.status == old.status, f"{old.status} stays, whatever workers say"
    if job.wanted == "pause" and old.status in {"active", "paused"}:
        assert new.status not in {"queued", "soft-failed"}, "a pause is kept"
    if new.epoch > old.epoch and new.status == "active" != old.status:
        assert job.wanted == "run", "what people hold back is not given out"
        assert job.delete_requested_at is None


def _check_wish(before: Any, after: Any) -> None:
    assert after.delete_requested_at == before.delete_requested_at
    if before.wanted != "run":
        assert after.wanted in {before.wanted, "fail"}, "people's wish beats messages"


def check_claim(before: Farm, worker: str, found: Any) -> None:
    """Judge what a worker was given that asked for a task."""
    row = before.worker(worker)
    eligible = [*before.eligible(row)]
    if isinstance(found, Nothing):
        assert not eligible, "there was something to do"
    if not isinstance(found, AssignedRun):
        return
    assert not row.status_requested
    assert row.status in {"awake", "error"}
    task = before.task(found.task_id)
    held = [run for run in before.attempts if run.worker_id == row.id and run.ended_at is None]
    if held:
        # Who has spoken of a run and asks all the same has given it up.
        epoch = held[0].epoch + bool(task.seq)
        assert (held[0].task_id, epoch) == (task.id, found.epoch), "given again"
        return
    assert task.id in {other.id for other in eligible}, "it may do what it is given"
    assert before.rank(task) == max(map(before.rank, eligible)), "the most urgent first"
    assert found.epoch == task.epoch + 1, "a new run has a new epoch"


def check_heard(before: Farm, worker: str, task_id: str, said: Report) -> None:
    """Judge that a message was accepted: only the worker of the present run is heard."""
    task = before.task(task_id)
    assert said.epoch in {None, task.epoch}, "what is said of a former run is not heard"
    assert before.has_last(task) == worker, "nobody speaks in another's name"


def check_refused(before: Farm, worker: str, task_id: str, said: Report) -> None:
    """Judge that a message was refused: whoever is at work is heard."""
    task = before.task(task_id)
    is_present = said.epoch in {None, task.epoch} and before.has_last(task) == worker
    assert not (is_present and task.status == "active"), "who is at work is heard"


def check_lost(before: Farm, after: Farm) -> None:
    """Judge what became of the tasks of workers that were given up."""
    assert after.failures == before.failures, "a lost worker has failed nothing"
    assert after.blocks == before.blocks
    for id, old in before.tasks.items():
        new = after.tasks[id]
        if old.status == "active" != new.status and new.status != "canceled":
            assert new.epoch == old.epoch, "its result may still come"
        if new.status == "failed" != old.status:
            lost = {
                run.worker_id
                for run in after.attempts
                if run.task_id == id and run.outcome == "lost"
            }
            assert len(lost) >= 3, "poison is what was lost on three workers"


@attrs.define
class Results:
    """How often each task was taken back from being completed, by people."""

    taken_back: Counter[int] = attrs.field(factory=Counter)

    def note(self, before: Farm, after: Farm) -> None:
        for id, old in before.tasks.items():
            self.taken_back[id] += old.status == "completed" != after.tasks[id].status

    def check(self, farm: Farm) -> None:
        accepted = Counter(run.task_id for run in farm.attempts if run.outcome == "completed")
        for task, times in accepted.items():
            assert times <= 1 + self.taken_back[task], "nobody asked for another result"
