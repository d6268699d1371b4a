"""The judge: from what was asked and answered, and what is in the database, to a verdict.

* lost: a job that was accepted is not there, or not at its end after all have had time
* unexpected: a job that nobody submitted
* halved: a job with more or fewer tasks than were submitted
* twice: more than one accepted result of a task, with no decision of a person between
* forgotten: a result that was accepted is not in the database
* overlap: two runs of a task at the same time, both with good reason to believe in theirs
* stale: a message of a run was accepted after a later one had begun or it was taken away
* rollback: something that was seen is contradicted later, and nobody did that
* internal: an answer that says the Manager has a fault

What has a price but is allowed is counted: ``wasted`` renders, whose result was refused,
and ``doubled`` ones, that ran beside the valid one until their worker heard of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise

import attrs

from faults.history import Op

__all__ = ["Attempt", "Found", "Job", "Task", "Verdict", "judge"]

TERMINAL = frozenset({"completed", "failed", "canceled"})
HELD = TERMINAL | {"paused"}


@attrs.frozen(kw_only=True)
class Task:
    """A task as the database has it."""

    id: str
    job: str
    status: str
    epoch: int


@attrs.frozen(kw_only=True)
class Job:
    """A job as the database has it."""

    id: str
    status: str


@attrs.frozen(kw_only=True)
class Attempt:
    """A run of a task as the database has it."""

    task: str
    epoch: int
    outcome: str | None = None


@attrs.frozen
class Found:
    """What a database holds after a run."""

    jobs: Sequence[Job] = ()
    tasks: Sequence[Task] = ()
    attempts: Sequence[Attempt] = ()


@attrs.define
class Verdict:
    """Everything that is wrong, by kind, and what the run has cost."""

    wrong: list[str] = attrs.field(factory=list)
    wasted: int = 0
    doubled: int = 0
    results: int = 0

    def add(self, kind: str, findings: Iterable[str]) -> None:
        self.wrong += [f"{kind}: {finding}" for finding in findings]


def judge(ops: Sequence[Op], found: Found, *, ttl: float, drained: bool = True) -> Verdict:
    """Return the verdict; *ttl* is how long a silent worker may believe in its run (s)."""
    case = _Case(ops, found, ttl)
    verdict = Verdict()
    verdict.add("lost", case.lost(drained))
    verdict.add("unexpected", case.unexpected())
    verdict.add("halved", case.halved())
    verdict.add("twice", case.twice())
    verdict.add("forgotten", case.forgotten())
    overlaps, verdict.doubled = case.overlaps()
    verdict.add("overlap", overlaps)
    verdict.add("stale", case.stale())
    verdict.add("rollback", case.rollback())
    verdict.add("internal", case.internal())
    verdict.wasted = len(case.of("refused"))
    verdict.results = len(case.results)
    return verdict


def _overlap(a: Op, b: Op) -> bool:
    return a.start <= b.end and b.start <= a.end


class _Case:
    """A history in the forms in which the questions are asked of it."""

    def __init__(self, ops: Sequence[Op], found: Found, ttl: float) -> None:
        self.found = found
        self.ttl = ttl
        self._by_op: dict[str, list[Op]] = defaultdict(list)
        for op in ops:
            self._by_op[op.op].append(op)
        self.tasks = {task.id: task for task in found.tasks}
        self.job_of = {task.id: task.job for task in found.tasks}
        for op in [*self.of("claim"), *self.of("update")]:
            if op["task"] and op["job"]:
                self.job_of.setdefault(op["task"], op["job"])
        # By kind and key: they are asked for with each of thousands of messages.
        self._decided: dict[tuple[str, str], list[Op]] = defaultdict(list)
        for op in ops:
            if op.may_have_happened:
                self._decided[op.op, op.key].append(op)
        self._claims: dict[tuple[str, int], list[Op]] = defaultdict(list)
        for op in self.of("claim"):
            self._claims[op["task"], op["epoch"]].append(op)
        self.results = self._results()
        self.ops = ops

    def of(self, op: str) -> list[Op]:
        return self._by_op.get(op, [])

    def happened(self, op: str) -> list[Op]:
        return [one for one in self.of(op) if one.may_have_happened]

    def decisions(self, task: str, *kinds: str) -> list[Op]:
        """Return what people may have done to a task or its job."""
        keys = {task, self.job_of.get(task, "")}
        return [op for kind in kinds for key in keys for op in self._decided[kind, key]]

    def _results(self) -> dict[tuple[str, int], Op]:
        """Return the accepted results, by task and epoch; the first of several."""
        found: dict[tuple[str, int], Op] = {}
        for op in self.of("update"):
            if op.is_ok and op["status"] == "completed":
                found.setdefault((op["task"], op["epoch"]), op)
        return found

    # -- jobs ------------------------------------------------------------------------------

    def lost(self, drained: bool) -> Iterator[str]:
        there = {job.id: job for job in self.found.jobs}
        deleted = {op.key for op in self.happened("delete")}
        held = {op.key for op in self.happened("pause")}
        for op in self.of("submit"):
            if not op.is_ok or op.key in deleted:
                continue
            if (job := there.get(op.key)) is None:
                yield f"job {op.key} was accepted and is not there"
            elif drained and job.status not in (HELD if op.key in held else TERMINAL):
                yield f"job {op.key} is {job.status} at the end"
        ends = {job.id for job in self.found.jobs if job.status == "completed"}
        for task in self.found.tasks:
            if task.job in ends and task.status != "completed":
                yield f"task {task.id} is {task.status}, and its job completed"
        for key in {op.key for op in self.of("delete") if op.is_ok and drained} & set(there):
            yield f"job {key} was deleted and is there"

    def unexpected(self) -> Iterator[str]:
        submitted = {op.key for op in self.happened("submit")}
        counted: dict[str, int] = defaultdict(int)
        for job in self.found.jobs:
            counted[job.id] += 1
            if job.id not in submitted:
                yield f"job {job.id} was never submitted"
        yield from (f"job {id} is there {n} times" for id, n in counted.items() if n > 1)

    def halved(self) -> Iterator[str]:
        counted: dict[str, int] = defaultdict(int)
        for task in self.found.tasks:
            counted[task.job] += 1
        there = {job.id for job in self.found.jobs}
        deleted = {op.key for op in self.happened("delete")}
        for op in self.of("submit"):
            wanted = op["tasks"]
            if op.key in there - deleted and wanted not in (None, counted[op.key]):
                yield f"job {op.key} has {counted[op.key]} tasks, not {wanted}"

    # -- results -----------------------------------------------------------------------------

    def twice(self) -> Iterator[str]:
        by_task: dict[str, list[Op]] = defaultdict(list)
        for (task, _), op in self.results.items():
            by_task[task].append(op)
        for task, results in by_task.items():
            requeues = self.decisions(task, "requeue")
            for first, second in pairwise(sorted(results, key=lambda op: op.end)):
                between = [r for r in requeues if r.start <= second.end and first.start <= r.end]
                if not between:
                    yield (
                        f"task {task}: epochs {first['epoch']} and {second['epoch']}"
                        " were both accepted"
                    )
                else:
                    requeues.remove(between[0])

    def forgotten(self) -> Iterator[str]:
        stored = {(a.task, a.epoch) for a in self.found.attempts if a.outcome == "completed"}
        deleted = {op.key for op in self.happened("delete")}
        for task, epoch in self.results:
            if self.job_of.get(task) not in deleted and (task, epoch) not in stored:
                yield f"task {task}: the result of epoch {epoch} was accepted and is gone"

    # -- runs --------------------------------------------------------------------------------

    def _belief(self, run: Op, contacts: Sequence[float]) -> float:
        """Return until when a worker had good reason to believe in its run."""
        last = max((t for t in contacts if t <= run.end), default=run.start)
        taken = [d.start for d in self._taken(run["task"]) if d.end >= run.start]
        return min([run.end, last + self.ttl, *taken])

    def _taken(self, task: str) -> list[Op]:
        return self.decisions(task, "requeue", "cancel", "pause", "delete")

    def overlaps(self) -> tuple[list[str], int]:
        contacts: dict[tuple[str, int], list[float]] = defaultdict(list)
        for op in [*self.of("update"), *self.of("beat")]:
            if op.is_ok:
                contacts[op["task"], op["epoch"]].append(op.start)
        by_task: dict[str, list[Op]] = defaultdict(list)
        for run in self.of("render"):
            by_task[run["task"]].append(run)
        wrong, doubled = [], 0
        for task, runs in by_task.items():
            for a, b in combinations(sorted(runs, key=lambda run: run.start), 2):
                if b.start >= a.end:
                    continue
                doubled += 1
                if b.start < self._belief(a, contacts[task, a["epoch"]]):
                    wrong.append(f"task {task}: epochs {a['epoch']} and {b['epoch']}")
        return wrong, doubled

    def stale(self) -> Iterator[str]:
        given: dict[str, list[Op]] = defaultdict(list)
        for op in self.of("claim"):
            if op.is_ok and op["task"]:
                given[op["task"]].append(op)
        repeated: set[tuple[str, int, int]] = set()
        for op in sorted(self.of("update"), key=lambda op: op.end):
            if not op.is_ok:
                continue
            task, epoch, seq = op["task"], op["epoch"], op["seq"]
            later = [c["epoch"] for c in given[task] if c.end < op.start and c["epoch"] > epoch]
            if later:
                yield f"task {task}: epoch {epoch} was heard after {max(later)} was given out"
            elif (task, epoch, seq) not in repeated and self._was_taken(op):
                yield f"task {task}: epoch {epoch} was heard after people had taken it"
            repeated.add((task, epoch, seq))

    def _was_taken(self, op: Op) -> bool:
        """Say whether people had surely ended a run before this was said of it."""
        claims = self._claims.get((op["task"], op["epoch"]))
        if not claims or (op["task"], op["epoch"]) in self.results:
            return False
        began = max(claim.end for claim in claims)
        taken = self.decisions(op["task"], "cancel")
        return any(d.is_ok and began < d.start and d.end < op.start for d in taken)

    # -- looks -------------------------------------------------------------------------------

    def rollback(self) -> Iterator[str]:
        looks: dict[str, list[Op]] = defaultdict(list)
        for op in self.of("look"):
            if op.is_ok:
                looks[op.key].append(op)
        for (task, _), result in self.results.items():
            for look in looks.get(task, ()):
                undone = self.decisions(task, "requeue", "cancel", "delete")
                if look.start > result.end and look["status"] != "completed" and not undone:
                    yield f"task {task} was completed and is seen as {look['status']}"
        for key, seen in looks.items():
            for before, after in pairwise(sorted(seen, key=lambda op: op.start)):
                changed = before["status"] in TERMINAL and before["status"] != after["status"]
                if changed and not self._explains(key, before, after):
                    yield f"{key} was {before['status']} and then {after['status']}"

    def _explains(self, key: str, before: Op, after: Op) -> bool:
        kinds = ("requeue", "cancel", "delete", "pause")
        done = self.decisions(key, *kinds)
        # What is done to one of its tasks changes a job as well.
        mine = {task for task, job in self.job_of.items() if job == key}
        done += [op for kind in kinds for op in self.happened(kind) if op.key in mine]
        return any(op.start <= after.end and before.start <= op.end for op in done)

    def internal(self) -> Iterator[str]:
        for op in self.ops:
            if op["code"] == 500:
                yield f"{op.op} of {op.key} was answered with 500"
