"""Find tasks that no worker the farm knows may run, and do what the farm's rule says.

It is looked for lane by lane: who may have tasks of a job and a type at all. Only where
workers have failed tasks are these looked at one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
from sqlalchemy import bindparam, delete, func, select

from flamenco_core.domain.events import ImpossibleFacts, JobTasksImpossible, JobUpdated
from flamenco_core.domain.impossible import ImpossibleTasks
from flamenco_core.domain.statuses import Wanted
from flamenco_core.domain.why import Able, Need, why_waiting
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store.blocks import IN_FORCE
from flamenco_core.manager.store.query import Query, Row, one
from flamenco_core.manager.store.tables import blocks, failures, lanes, tasks
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.crew import crew, grouped, with_blocks
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.settle import settle

__all__ = ["Impossible", "Sight", "look", "treat_job"]

log = logging.getLogger(__name__)

CANNOT = "Cannot go on: "
"""What the activity of such a job begins with; people see it in every list."""
AGAIN = "Can go on: there is a worker for all its tasks again"


@attrs.frozen(kw_only=True)
class Impossible:
    """Tasks of one job and type that nobody may run, why, and what was done about it."""

    job_id: str
    job_name: str
    task_type: str
    count: int
    reason: str
    lane: int
    can_unblock: bool
    """Whether it would help to let workers try again that have failed."""
    done: ImpossibleTasks = ImpossibleTasks.WAIT


# -- finding -------------------------------------------------------------------------------

_BLOCKED = (
    select(lanes.c.id, blocks.c.worker_id)
    .join(
        blocks,
        (blocks.c.job_id == lanes.c.job_id) & (blocks.c.task_type == lanes.c.task_type),
    )
    .where(lanes.c.open == one, IN_FORCE)
)
_FAILED = (
    select(tasks.c.lane_id, tasks.c.id, failures.c.worker_id)
    .join(failures, failures.c.task_id == tasks.c.id)
    .where(tasks.c.ready == one)
)
# Of all jobs, or of one.
_BLOCKED_IN = {
    False: Query(_BLOCKED),
    True: Query(_BLOCKED.where(lanes.c.job_id == bindparam("job"))),
}
_FAILED_IN = {
    False: Query(_FAILED),
    True: Query(_FAILED.where(tasks.c.job_id == bindparam("job"))),
}
_READY = Query(
    select(func.count())
    .select_from(tasks)
    .where(tasks.c.lane_id == bindparam("lane"), tasks.c.ready == one)
)


@attrs.frozen
class Sight:
    """What one look has seen: such tasks, and the jobs for which something is to be done.

    Of a job that waits and says so already there is nothing to do.
    """

    impossible: list[Impossible]
    jobs: list[str]


def look(tx: Tx, choice: ImpossibleTasks) -> Sight:
    """Find all tasks that nobody may run. Changes nothing."""
    found: dict[str, list[Impossible]] = {}
    for some in _impossible(tx):
        found.setdefault(some.job_id, []).append(some)
    told = {row.job_uuid: row.activity for row in lane_rows.waiting_lanes(tx)}
    jobs = [job for job, some in found.items() if _is_to_do(some, told.get(job, ""), choice)]
    jobs += [job for job, words in told.items() if words.startswith(CANNOT) and job not in found]
    return Sight([tasks for some in found.values() for tasks in some], jobs)


def _is_to_do(found: list[Impossible], told: str, choice: ImpossibleTasks) -> bool:
    if choice is ImpossibleTasks.UNBLOCK and any(tasks.can_unblock for tasks in found):
        return True
    return choice is ImpossibleTasks.FAIL or told != f"{CANNOT}{_words(found)}"


def _impossible(tx: Tx, job: int | None = None) -> Iterator[Impossible]:
    workers = crew(tx)
    if not workers:
        return  # a farm that is being set up; its first worker will come
    of_one, which = job is not None, {} if job is None else {"job": job}
    blocked = grouped(tx.all(_BLOCKED_IN[of_one], now=tx.now, **which))
    failed = _by_lane(tx.all(_FAILED_IN[of_one], **which))
    able = _by_pool(workers)
    for lane in lane_rows.waiting_lanes(tx, job):
        members = able(lane.task_type, lane.tag_id)
        left = members - set(blocked.get(lane.id, ()))
        count = _count(tx, lane.id, left, failed.get(lane.id, {}))
        if count:
            refused = {worker: {lane.task_type} for worker in blocked.get(lane.id, ())}
            yield _found(lane, count, left, bool(members), with_blocks(workers, refused))


def _by_lane(rows: Iterable[Row]) -> dict[int, dict[int, set[int]]]:
    found: dict[int, dict[int, set[int]]] = {}
    for lane, task, worker in rows:
        found.setdefault(lane, {}).setdefault(task, set()).add(worker)
    return found


def _by_pool(workers: Iterable[Able]) -> Any:
    """Return what says which workers run tasks of a type for a tag; remembers it."""
    known: dict[tuple[str, int], set[int]] = {}

    def able(task_type: str, tag: int) -> set[int]:
        if (task_type, tag) not in known:
            known[task_type, tag] = {
                worker.id
                for worker in workers
                if task_type in worker.task_types and (not tag or tag in worker.tags)
            }
        return known[task_type, tag]

    return able


def _count(tx: Tx, lane: int, left: set[int], failed: dict[int, set[int]]) -> int:
    if not left:
        return int(tx.value(_READY, lane=lane))
    return sum(left <= by for by in failed.values())


def _found(lane: Row, count: int, left: set[int], curable: bool, workers: list[Able]) -> Impossible:
    need = Need(
        task_type=lane.task_type,
        tag=lane.tag_id,
        tag_name=lane.tag_name or "",
        failed_by=frozenset(left),
    )
    return Impossible(
        job_id=lane.job_uuid,
        job_name=lane.job_name,
        task_type=lane.task_type,
        count=count,
        reason=why_waiting(need, workers),
        lane=lane.id,
        can_unblock=curable,
    )


# -- treating ------------------------------------------------------------------------------


def treat_job(tx: Tx, job_id: str, choice: ImpossibleTasks, rules: Rules) -> list[Impossible]:
    """Do what is chosen with a job's impossible tasks; return these, and what was done.

    To let workers try again helps only where some have failed; other tasks wait. Raises
    `NotFound`.
    """
    job = job_rows.lock_job(tx, job_id)
    found = [*_impossible(tx, job.id)] if job.runs else []
    if choice is ImpossibleTasks.FAIL and found:
        _fail(tx, job, found, rules)
        failed = [attrs.evolve(tasks, done=choice) for tasks in found]
        _emit(tx, job, failed)
        return failed
    if choice is ImpossibleTasks.UNBLOCK:
        found = [_unblock(tx, job, tasks) if tasks.can_unblock else tasks for tasks in found]
    waiting = [tasks for tasks in found if tasks.done is ImpossibleTasks.WAIT]
    is_new = _tell(tx, job, f"{CANNOT}{_words(waiting)}" if waiting else AGAIN)
    if is_new or len(waiting) < len(found):
        _emit(tx, job, found)
    return found


def _emit(tx: Tx, job: job_rows.JobState, found: Iterable[Impossible]) -> None:
    facts = tuple(
        ImpossibleFacts(
            task_type=tasks.task_type, count=tasks.count, reason=tasks.reason, done=tasks.done
        )
        for tasks in found
    )
    tx.emit(JobTasksImpossible(job=job_rows.job_facts(tx, job), tasks=facts))


def _fail(tx: Tx, job: job_rows.JobState, found: list[Impossible], rules: Rules) -> None:
    job.wanted = Wanted.FAIL
    log.warning("job %s (%s) fails: %s", job.uuid, job.name, _words(found))
    settle(tx, job, rules, _words(found))


_UNBLOCK = Query(
    delete(blocks).where(
        blocks.c.job_id == bindparam("job"), blocks.c.task_type == bindparam("task_type")
    )
)
_FORGIVE = Query(
    delete(failures).where(
        failures.c.task_id.in_(
            select(tasks.c.id).where(tasks.c.lane_id == bindparam("lane"), tasks.c.ready == one)
        )
    )
)


def _unblock(tx: Tx, job: job_rows.JobState, found: Impossible) -> Impossible:
    tx.run(_UNBLOCK, job=job.id, task_type=found.task_type)
    tx.run(_FORGIVE, lane=found.lane)
    lane_rows.open_lane(tx, found.lane, found.count)
    log.warning("job %s (%s): all may try again: %s", job.uuid, job.name, _words([found]))
    return attrs.evolve(found, done=ImpossibleTasks.UNBLOCK)


def _tell(tx: Tx, job: job_rows.JobState, words: str) -> bool:
    """Let people read what is wrong with a job; return whether that is news."""
    if job.activity == words or (words == AGAIN and not job.activity.startswith(CANNOT)):
        return False
    job.activity = words
    job_rows.save_state(tx, job)
    log.warning("job %s (%s): %s", job.uuid, job.name, words)
    tx.emit(JobUpdated(job_rows.job_facts(tx, job)))
    return True


def _words(found: Iterable[Impossible]) -> str:
    return "; ".join(
        f"{tasks.count} task{'s' * (tasks.count != 1)} of type {tasks.task_type!r}"
        f" that no worker can run: {tasks.reason}"
        for tasks in found
    )
