"""No statement of the hot path reads a whole table, on a farm of any size."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from flamenco_core.clock import SystemClock, new_id
from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.manager.store.database import open_database
from flamenco_core.manager.store.postgresql import SETTINGS
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases import control, report, schedule, submit, workers
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.offers.job_type import AuthoredJob, AuthoredTask, Submission

SMALL = {"workers", "cursors", "counters", "tags", "worker_tags", "alembic_version"}
"""Tables that grow with machines, not with work."""


class Noted:
    """The cursor of a transaction; notes what is run."""

    def __init__(self, cursor: Any, statements: dict[str, Any]) -> None:
        self._cursor = cursor
        self._statements = statements

    def execute(self, text: str, values: Any = ()) -> None:
        self._statements[text] = values
        self._cursor.execute(text, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class Farm:
    """A farm whose statements are noted."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self.rules = Rules()
        self.statements: dict[str, Any] = {}

    async def do(self, use_case: Any, *args: Any, **kwargs: Any) -> Any:
        def noted(tx: Tx) -> Any:
            tx._cursor = Noted(tx._cursor, self.statements)
            return use_case(tx, *args, **kwargs)

        return await self.database.write(noted)

    async def join(self) -> str:
        worker = new_id()
        await self.do(
            workers.register_worker,
            workers.Registration(
                uuid=worker,
                secret_hash="x",
                name="w",
                address="::1",
                platform="linux",
                task_types=["blender", "ffmpeg"],
            ),
        )
        await self.do(workers.state_changed, worker, WorkerStatus.AWAKE, self.rules)
        return worker

    async def submit(self) -> str:
        frames = [AuthoredTask(name=f"frame {n}", type="blender") for n in range(30)]
        video = AuthoredTask(name="video", type="ffmpeg", parents=tuple(range(30)))
        job = AuthoredJob(
            name="shot", priority=50, settings={}, metadata={}, tasks=(*frames, video)
        )
        new = Submission(job_id=new_id(), name="shot", type="t", priority=50, created=1)
        return str(await self.do(submit.submit_job, new, job, self.rules))

    async def say(self, worker: str, run: Any, status: TaskStatus, seq: int = 1) -> Any:
        said = report.Report(status=status, epoch=run.epoch, seq=seq, activity="x")
        return await self.do(report.report_task, worker, run.task_id, said, self.rules)

    async def live(self) -> None:
        """Go through a day of a farm."""
        first, second, third = [await self.join() for _ in range(3)]
        job = await self.submit()
        run = await self.do(schedule.schedule_task, first, self.rules)
        await self.do(schedule.schedule_task, first, self.rules)
        await self.say(first, run, TaskStatus.ACTIVE)
        await self.say(first, run, TaskStatus.COMPLETED, 2)
        await self.do(workers.may_run, first, run.task_id)
        for worker in (second, third):
            run = await self.do(schedule.schedule_task, worker, self.rules)
            await self.say(worker, run, TaskStatus.FAILED)
            await self.do(schedule.schedule_task, worker, self.rules)
        await self.do(workers.give_up_workers, [second], self.rules)
        await self.do(workers.sign_off, third, self.rules)
        await self.do(control.set_job_priority, job, 60)
        await self.do(control.request_task_status, run.task_id, TaskStatus.QUEUED, "", self.rules)
        for status in ("pause-requested", "requeueing", "cancel-requested", "requeueing"):
            await self.do(control.request_job_status, job, JobStatus(status), "", self.rules)
        await self.block_everywhere(first)

    async def block_everywhere(self, worker: str) -> None:
        # So many lanes are of no use to it that it looks a second time, with a cursor.
        from flamenco_core.manager.store.blocks import insert_block

        def block(tx: Tx, jobs: int) -> None:
            for job in range(1, jobs + 1):
                insert_block(tx, job=job, worker=1, task_type="blender", reason="")

        for _ in range(4):
            await self.submit()
        await self.do(block, 5)
        for _ in range(2):
            await self.do(schedule.schedule_task, worker, self.rules)
        await self.submit()


@pytest.fixture
async def farm(url: str) -> AsyncIterator[Farm]:
    database = open_database(url, SystemClock())
    await database.start(lambda tx: None)
    farm = Farm(database)
    await farm.live()
    yield farm
    await database.close()


def sqlite_scans(statements: dict[str, Any], file: Path) -> dict[str, list[str]]:
    connection = dbapi().connect(file)
    found: dict[str, list[str]] = {}
    for text, values in statements.items():
        plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()
        steps = [row[3] for row in plan]
        aliases = dict(re.findall(r"(?:FROM|JOIN) (\w+) AS (\w+)", text))
        bad = [
            step
            for step in steps
            if (scan := re.match(r"SCAN (\w+)", step))
            and scan[1] not in SMALL | {"pool0", "pool1", "pool2", "CONSTANT"}
            # A part of an index that holds only what is asked for is no scan of a table.
            and "ix_lanes_open" not in step
            and aliases.get(scan[1], scan[1]) not in SMALL
        ]
        if bad:
            found[" ".join(text.split())] = bad
    connection.close()
    return found


def postgresql_plans(statements: dict[str, Any], url: str) -> dict[str, list[dict[str, Any]]]:
    found = {}
    with psycopg.connect(
        url.replace("+psycopg", ""), autocommit=True, cursor_factory=psycopg.RawCursor
    ) as connection:
        connection.execute(SETTINGS)
        for text, values in statements.items():
            row = connection.execute(f"EXPLAIN (FORMAT JSON) {text}", values).fetchone()
            assert row is not None
            plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
            found[" ".join(text.split())] = nodes(plan[0]["Plan"])
    return found


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in nodes(part))]


def postgresql_scans(statements: dict[str, Any], url: str) -> dict[str, list[str]]:
    scans = {
        text: [
            node["Relation Name"]
            for node in plan
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in SMALL
        ]
        for text, plan in postgresql_plans(statements, url).items()
    }
    return {text: found for text, found in scans.items() if found}


def scans(statements: dict[str, Any], url: str) -> dict[str, list[str]]:
    if url.startswith("postgresql"):
        return postgresql_scans(statements, url)
    return sqlite_scans(statements, Path(url))


async def test_no_hot_statement_reads_a_whole_table(farm: Farm, url: str) -> None:
    assert len(farm.statements) > 50
    assert scans(farm.statements, url) == {}


async def test_a_statement_that_does_would_be_found(farm: Farm, url: str) -> None:
    assert scans({"SELECT count(*) FROM tasks WHERE name = 'x'": ()}, url) != {}


async def test_the_first_task_of_a_lane_is_found_without_sorting(farm: Farm, url: str) -> None:
    first = {t: values for t, values in farm.statements.items() if "job_started" in t}
    assert first
    if url.startswith("postgresql"):
        (plan,) = postgresql_plans(first, url).values()
        used = {node.get("Index Name") for node in plan}
        sorts = [node for node in plan if "Sort" in node["Node Type"]]
    else:
        ((text, values),) = first.items()
        connection = dbapi().connect(url)
        steps = [r[3] for r in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
        connection.close()
        used = {name for step in steps for name in re.findall(r"ix_\w+", step)}
        sorts = [step for step in steps if "TEMP B-TREE" in step]
    assert sorts == []
    assert "ix_tasks_ready" in used
