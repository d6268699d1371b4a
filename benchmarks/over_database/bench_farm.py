"""A farm for the benchmark of claims: workers, and queues of any length."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
from sqlalchemy import bindparam, insert, literal_column, select, text, update

from flamenco_core.clock import SystemClock
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import tables
from flamenco_core.manager.store.database import Database, open_database
from flamenco_core.manager.store.ids import next_ids
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases import schedule, workers
from flamenco_core.manager.usecases.rules import Rules

BLOCK = 1_000
"""Tasks of one job."""
PART = 1_000
"""So many jobs are added in one transaction."""
MOST_FINISHED = 200_000
COMMANDS = json.dumps([{"name": "blender-render", "parameters": {"args": ["-f", "1..10"]}}])


@attrs.define
class Kind:
    """What the tasks of a job are like."""

    status: str = "queued"
    task_type: str = "blender"
    priority: int = 0
    """0 spreads them over ten priorities."""
    tag: int = 0
    parents: int = 0
    tasks: int = BLOCK


@attrs.define
class Farm:
    """A database with workers that are awake; each can be given one task at a time."""

    database: Database
    workers: list[str]
    rules: Rules = attrs.field(factory=Rules)
    queued: int = 0
    finished: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, where: str, workers: int) -> AsyncIterator[Farm]:
        """Open a new database and let workers sign on."""
        database = open_database(where, SystemClock())
        await database.start(lambda tx: None)
        try:
            farm = cls(database, [str(uuid.UUID(int=n + 1)) for n in range(workers)])
            await database.write(farm._join)
            yield farm
        finally:
            await database.close()

    def _join(self, tx: Tx) -> None:
        for number, worker in enumerate(self.workers):
            new = workers.Registration(
                uuid=worker,
                secret_hash="",
                name=f"worker-{number}",
                address="127.0.0.1",
                platform="linux",
                task_types=["blender", "ffmpeg", "misc"],
            )
            workers.register_worker(tx, new)
            workers.state_changed(tx, worker, WorkerStatus.AWAKE, self.rules)

    # -- work ----------------------------------------------------------------------------

    async def claim_once_each(self, clients: int) -> int:
        """Let each worker ask for a task, so many at the same time; return how many got one."""
        waiting = iter(self.workers)
        counts = await asyncio.gather(*(self._client(waiting) for _ in range(clients)))
        self.queued -= sum(counts)
        return sum(counts)

    async def _client(self, waiting: Iterator[str]) -> int:
        given = 0
        for worker in waiting:
            found = await self.database.brief(schedule.schedule_task, worker, self.rules)
            given += isinstance(found, schedule.AssignedRun)
        return given

    async def finish_all(self) -> None:
        """Complete what is at work."""
        await self.database.write(_finish)

    # -- fill ----------------------------------------------------------------------------

    async def fill_up_to(self, queued: int) -> None:
        """Add jobs until so many tasks are queued; for each, one is finished beside it."""
        missing = -(-(queued - self.queued) // BLOCK)
        await self._add(Kind(), missing)
        self.queued += BLOCK * missing
        missing = (min(self.queued, MOST_FINISHED) - self.finished) // BLOCK
        await self._add(Kind(status="completed"), missing)
        self.finished += BLOCK * max(0, missing)

    async def fill_rejected(self) -> None:
        """Add 5,000 candidates that come first, and that none of the workers may run."""
        first = Kind(priority=90, tasks=1)
        await self._add(attrs.evolve(first, tag=99), 1_000)
        await self._add(attrs.evolve(first, task_type="houdini"), 1_000)
        await self._add(attrs.evolve(first, parents=1), 1_000)
        blocked = await self._add(first, 1_000)
        failed = await self._add(first, 1_000)
        await self.database.write(_reject, blocked, failed)

    async def _add(self, kind: Kind, jobs: int) -> range:
        added = range(0)
        for start in range(0, jobs, PART):
            added = await self.database.write(_add_jobs, kind, min(PART, jobs - start))
        return added


def _insert(table: Any, columns: str) -> Query:
    return Query(insert(table).values({name: bindparam(name) for name in columns.split()}))


_JOB = _insert(
    tables.jobs,
    "id uuid name type priority status wanted started settings metadata tag_id tasks_total"
    " tasks_completed created_at updated_at",
)
_LANE = _insert(tables.lanes, "id job_id task_type job_rank task_rank tag_id open")
_BLOCKED = _insert(tables.blocks, "job_id worker_id task_type created_at")
_FAILED = _insert(tables.failures, "task_id worker_id created_at")
_TASKS = """
    INSERT INTO tasks (id, uuid, job_id, lane_id, index_in_job, name, type, status,
                       unfinished_parents, commands, steps_total, created_at, updated_at)
    WITH RECURSIVE numbers(number) AS (
        SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :tasks
    ), added AS (
        SELECT :task + (lanes.id - :lane) * :tasks + number - 1 AS id, job_id,
               lanes.id AS lane_id, number
        FROM lanes, numbers WHERE lanes.id BETWEEN :lane AND :last
    )
    SELECT id, {uuid}, job_id, lane_id, number, 'render', :type, :status, :parents, :commands,
           1, :now, :now
    FROM added ORDER BY id
"""
_UUID = "'00000000-0000-4000-8000-' || {}('000000000000' || id, {})"
_ADD_TASKS = {
    "sqlite": Query(text(_TASKS.format(uuid=_UUID.format("substr", -12)))),
    "postgresql": Query(text(_TASKS.format(uuid=_UUID.format("right", 12)))),
}


def _add_jobs(tx: Tx, kind: Kind, count: int) -> range:
    job, lane = next_ids(tx, "jobs", count), next_ids(tx, "lanes", count)
    task = next_ids(tx, "tasks", count * kind.tasks)
    tx.many(_JOB, [_job(tx, kind, job + place) for place in range(count)])
    tx.many(_LANE, [_lane(kind, job + place, lane + place) for place in range(count)])
    tx.run(
        _ADD_TASKS[tx.dialect],
        task=task,
        lane=lane,
        last=lane + count - 1,
        tasks=kind.tasks,
        type=kind.task_type,
        status=kind.status,
        parents=kind.parents,
        commands=COMMANDS,
        now=tx.now,
    )
    added = range(job, job + count)
    for new in added:
        lane_rows.reopen(tx, new)
    return added


def _job(tx: Tx, kind: Kind, id: int) -> dict[str, Any]:
    done = kind.status == "completed"
    return {
        "id": id,
        "uuid": str(uuid.UUID(int=id)),
        "name": "shot",
        "type": "simple-blender-render",
        "priority": kind.priority or 40 + id % 10,
        "wanted": "run",
        "status": "completed" if done else "active",
        "started": 1,
        "settings": "{}",
        "metadata": "{}",
        "tag_id": kind.tag,
        "tasks_total": kind.tasks,
        "tasks_completed": done * kind.tasks,
        "created_at": tx.now,
        "updated_at": tx.now,
    }


def _lane(kind: Kind, job: int, id: int) -> dict[str, Any]:
    return {
        "id": id,
        "job_id": job,
        "task_type": kind.task_type,
        "job_rank": -(kind.priority or 40 + job % 10),
        "task_rank": -50,
        "tag_id": kind.tag,
        "open": 0,
    }


_WORKERS = Query(select(tables.workers.c.id))
_TASKS_OF = Query(select(tables.tasks.c.id).where(tables.tasks.c.job_id == bindparam("job")))


def _reject(tx: Tx, blocked: range, failed: range) -> None:
    everybody = [row.id for row in tx.all(_WORKERS)]
    for worker in everybody:
        who = {"worker_id": worker, "created_at": tx.now}
        tx.many(_BLOCKED, [{"job_id": job, "task_type": "blender", **who} for job in blocked])
        tasks = [row.id for job in failed for row in tx.all(_TASKS_OF, job=job)]
        tx.many(_FAILED, [{"task_id": task, **who} for task in tasks])


_LIVE = Query(
    select(tables.attempts.c.task_id, tables.attempts.c.epoch).where(
        tables.attempts.c.ended_at.is_(None)
    )
)
_END = Query(
    update(tables.attempts)
    .where(
        tables.attempts.c.task_id == bindparam("task"), tables.attempts.c.epoch == bindparam("e")
    )
    .values(ended_at=bindparam("now"), outcome=literal_column("'completed'"))
)
_COMPLETE = Query(
    update(tables.tasks)
    .where(tables.tasks.c.id == bindparam("task"))
    .values(status=literal_column("'completed'"))
)


def _finish(tx: Tx) -> None:
    live = [{"task": row.task_id, "e": row.epoch, "now": tx.now} for row in tx.all(_LIVE)]
    tx.many(_END, live)
    tx.many(_COMPLETE, live)
