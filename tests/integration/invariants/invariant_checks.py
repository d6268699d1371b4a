"""What is true of a farm's data at any moment; the whole of it is read and checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import attrs
from sqlalchemy import select

from flamenco_core.domain.jobs import Tally, job_status
from flamenco_core.domain.statuses import JobStatus, Wanted
from flamenco_core.manager.store import tables
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules

_READ = {
    name: Query(select(getattr(tables, name)))
    for name in (
        "jobs",
        "tasks",
        "lanes",
        "dependencies",
        "attempts",
        "failures",
        "blocks",
        "workers",
        "worker_tags",
        "cursors",
    )
}


@attrs.define
class Farm:
    """All rows of the tables that matter."""

    jobs: dict[int, Any]
    tasks: dict[int, Any]
    lanes: dict[int, Any]
    workers: dict[int, Any]
    parents: dict[int, set[int]]
    attempts: list[Any]
    failures: set[tuple[int, int]]
    blocks: set[tuple[int, int, str]]
    tags: set[tuple[int, int]]
    cursors: list[Any]

    @classmethod
    def read(cls, tx: Tx) -> Farm:
        rows = {name: tx.all(query) for name, query in _READ.items()}
        parents: dict[int, set[int]] = {}
        for row in rows["dependencies"]:
            parents.setdefault(row.task_id, set()).add(row.parent_id)
        return cls(
            **{n: {row.id: row for row in rows[n]} for n in ("jobs", "tasks", "lanes", "workers")},
            parents=parents,
            # Two readings are compared, and a database may return rows in any order.
            attempts=sorted(rows["attempts"], key=lambda run: (run.task_id, run.epoch)),
            failures={(row.task_id, row.worker_id) for row in rows["failures"]},
            blocks={(row.job_id, row.worker_id, row.task_type) for row in rows["blocks"]},
            tags={(row.worker_id, row.tag_id) for row in rows["worker_tags"]},
            cursors=sorted(rows["cursors"]),
        )

    def task(self, uuid: str) -> Any:
        return next(task for task in self.tasks.values() if task.uuid == uuid)

    def worker(self, uuid: str) -> Any:
        return next(worker for worker in self.workers.values() if worker.uuid == uuid)

    def has_last(self, task: Any) -> str:
        """Return which worker was given a task last, if nobody took it back since."""
        for run in self.attempts:
            if (run.task_id, run.epoch) == (task.id, task.epoch):
                return str(self.workers[run.worker_id].uuid)
        return ""

    def is_ready(self, task: Any) -> bool:
        return task.status in {"queued", "soft-failed"} and all(
            self.tasks[parent].status == "completed" for parent in self.parents.get(task.id, ())
        )

    def runs(self, job: Any) -> bool:
        return job.wanted == "run" and job.delete_requested_at is None

    def eligible(self, worker: Any) -> Iterator[Any]:
        """Yield the tasks that a worker may be given, by the rules and not by our indexes."""
        types = json.loads(worker.task_types)
        for task in self.tasks.values():
            job = self.jobs[task.job_id]
            if (
                self.runs(job)
                and self.is_ready(task)
                and task.type.lower() in types
                and (not job.tag_id or (worker.id, job.tag_id) in self.tags)
                and (task.id, worker.id) not in self.failures
                and (job.id, worker.id, task.type.lower()) not in self.blocks
            ):
                yield task

    def rank(self, task: Any) -> tuple[int, int]:
        return self.jobs[task.job_id].priority, task.priority


def check(farm: Farm, rules: Rules) -> None:
    """Raise `AssertionError` for the first thing that is wrong."""
    _check_leases(farm)
    _check_parents(farm)
    for job in farm.jobs.values():
        _check_job(farm, job, rules)
    _check_lanes(farm)
    _check_cursors(farm)


def _check_leases(farm: Farm) -> None:
    live = [run for run in farm.attempts if run.ended_at is None]
    active = {task.id: task for task in farm.tasks.values() if task.status == "active"}
    assert sorted(run.task_id for run in live) == sorted(active), "live runs are active tasks"
    for run in live:
        assert (run.epoch, run.worker_id) == (
            active[run.task_id].epoch,
            active[run.task_id].worker_id,
        ), "a live run is the task's present one"
    slots = Counter((run.worker_id, run.slot) for run in live)
    assert all(count == 1 for count in slots.values()), "a worker has one task in each slot"
    for run in farm.attempts:
        assert (run.ended_at is None) == (run.outcome is None)
        assert run.epoch <= farm.tasks[run.task_id].epoch


def _check_parents(farm: Farm) -> None:
    for task in farm.tasks.values():
        unfinished = sum(
            farm.tasks[parent].status != "completed" for parent in farm.parents.get(task.id, ())
        )
        assert task.unfinished_parents == unfinished, f"parents of {task.name}"
        assert bool(task.ready) == farm.is_ready(task), f"ready of {task.name}"
    with_children = {parent for parents in farm.parents.values() for parent in parents}
    assert {t.id for t in farm.tasks.values() if t.has_children} == with_children


def tally_of(farm: Farm, job: Any) -> Tally:
    tasks = [task for task in farm.tasks.values() if task.job_id == job.id]
    counts = Counter(task.status for task in tasks)
    return Tally(
        total=len(tasks),
        completed=counts["completed"],
        failed=counts["failed"],
        canceled=counts["canceled"],
        paused=counts["paused"],
        active=counts["active"],
        can_start=any(farm.is_ready(task) for task in tasks),
    )


def _check_job(farm: Farm, job: Any, rules: Rules) -> None:
    tally = tally_of(farm, job)
    stored = (job.tasks_completed, job.tasks_failed, job.tasks_canceled, job.tasks_paused)
    assert stored == (tally.completed, tally.failed, tally.canceled, tally.paused), "counters"
    assert job.tasks_total == tally.total
    steps = [t.steps_completed for t in farm.tasks.values() if t.job_id == job.id]
    assert job.steps_completed == sum(steps), "steps"
    status = job_status(Wanted(job.wanted), bool(job.started), tally, rules.failure)
    assert job.status == status, f"a job with {tally} and {job.wanted} is {status}"
    if job.wanted in {Wanted.PAUSE, Wanted.CANCEL}:
        assert status not in {JobStatus.ACTIVE, JobStatus.QUEUED}, "people's wish beats"
    if job.wanted == Wanted.CANCEL:
        assert status in {JobStatus.CANCELED, JobStatus.COMPLETED}, "canceled is canceled"
    if status in {JobStatus.CANCELED, JobStatus.FAILED, JobStatus.PAUSED, JobStatus.COMPLETED}:
        assert not tally.active, f"a {status} job has nothing at work"
    if status is JobStatus.QUEUED:
        assert not tally.active, "a job with something at work has begun"
    if status in {JobStatus.ACTIVE, JobStatus.QUEUED}:
        assert tally.active or tally.can_start, "a job that goes on has something to do"


def _check_lanes(farm: Farm) -> None:
    for lane in farm.lanes.values():
        job = farm.jobs[lane.job_id]
        assert (lane.job_rank, lane.tag_id) == (-job.priority, job.tag_id)
    for task in farm.tasks.values():
        lane, job = farm.lanes[task.lane_id], farm.jobs[task.job_id]
        assert (lane.job_id, lane.task_type, lane.task_rank) == (
            job.id,
            task.type.lower(),
            -task.priority,
        )
        if farm.is_ready(task) and farm.runs(job):
            assert lane.open, f"{task.name} could run, and its lane is closed"


def _check_cursors(farm: Farm) -> None:
    for cursor in farm.cursors:
        at = (cursor.job_rank, cursor.task_rank, cursor.turn, cursor.lane_id)
        for task in farm.eligible(farm.workers[cursor.worker_id]):
            lane = farm.lanes[task.lane_id]
            if (lane.tag_id, lane.task_type) == (cursor.tag_id, cursor.task_type):
                place = (lane.job_rank, lane.task_rank, lane.turn, lane.id)
                assert place >= at, f"a worker would pass over {task.name}"
