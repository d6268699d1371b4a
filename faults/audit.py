"""What a database looks like after a run: read it, and check it against itself."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import attrs

from faults.history import History
from faults.judge import Attempt, Found, Job, Task, Verdict, judge
from faults.matrix import Broken

# The invariants are those of the state machine: one list of what must be true.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "integration" / "invariants"))

from invariant_checks import Farm, check

from flamenco_core.clock import SystemClock
from flamenco_core.manager.store.database import open_database
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.recover import recover_jobs
from flamenco_core.manager.usecases.rules import Rules

__all__ = ["audit", "check_copy", "check_file", "deliver_verdict", "drain", "live_run"]

REPAIRED = re.compile(r"job \S+ was \S+ and is \S+ now")


def _found(farm: Any) -> Found:
    jobs = {id: job.uuid for id, job in farm.jobs.items()}
    tasks = {id: task.uuid for id, task in farm.tasks.items()}
    return Found(
        jobs=[Job(id=job.uuid, status=job.status) for job in farm.jobs.values()],
        tasks=[
            Task(id=t.uuid, job=jobs[t.job_id], status=t.status, epoch=t.epoch)
            for t in farm.tasks.values()
        ],
        attempts=[
            Attempt(task=tasks[a.task_id], epoch=a.epoch, outcome=a.outcome)
            for a in farm.attempts
            if a.task_id in tasks
        ],
    )


def check_file(path: Path) -> Any:
    """Check a SQLite file that nobody uses; return its farm. Raises `Broken`."""
    connection = dbapi().connect(str(path), isolation_level=None)
    try:
        sound = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        if sound != ["ok"]:
            raise Broken(f"integrity_check: {sound[:3]}")
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise Broken("foreign_key_check finds rows without their owners")
        farm = Farm.read(Tx(connection.cursor(), "sqlite", 0))
    finally:
        connection.close()
    _check(farm)
    return farm


def _check(farm: Any) -> None:
    try:
        check(_without_doomed(farm), Rules())
    except AssertionError as error:
        raise Broken(f"the data contradicts itself: {error}") from error


def _without_doomed(farm: Any) -> Any:
    """Leave out the jobs that are being deleted: part of their tasks may be gone."""
    doomed = {id for id, job in farm.jobs.items() if job.delete_requested_at is not None}
    tasks = {id: task for id, task in farm.tasks.items() if task.job_id not in doomed}
    return attrs.evolve(
        farm,
        jobs={id: job for id, job in farm.jobs.items() if id not in doomed},
        tasks=tasks,
        lanes={id: lane for id, lane in farm.lanes.items() if lane.job_id not in doomed},
        parents={task: parents for task, parents in farm.parents.items() if task in tasks},
        attempts=[run for run in farm.attempts if run.task_id in tasks],
    )


def check_copy(path: Path, folder: Path) -> Any:
    """Check what a crash has left, in a copy: looking would repair the original."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*"):
        old.unlink()
    for ending in ("", "-wal"):
        source = path.with_name(path.name + ending)
        if source.exists():
            shutil.copy(source, folder / source.name)
    return check_file(folder / path.name)


def live_run(farm: Any, worker: str) -> tuple[str, int] | None:
    """Return task and epoch of what a worker holds, if it holds anything."""
    for run in farm.attempts:
        if run.ended_at is None and farm.workers[run.worker_id].uuid == worker:
            return farm.tasks[run.task_id].uuid, run.epoch
    return None


async def audit(database: str) -> Found:
    """Check the database of a Manager that has ended; a file or a URL. Raises `Broken`."""
    if "://" not in database:
        check_file(Path(database))
    store = open_database(database, SystemClock())
    await store.start(lambda tx: None)
    try:
        farm = await store.read(Farm.read)
        repaired = await store.write(recover_jobs, Rules())
    finally:
        await store.close()
    _check(farm)
    if repaired:
        raise Broken(f"jobs whose status was not that of their tasks: {repaired[:3]}")
    return _found(farm)


async def deliver_verdict(
    history: History, database: str, *, ttl: float, log: str = "", drained: bool = True
) -> Verdict:
    """Audit and judge; raises `Broken` with the first findings."""
    found = await audit(database)
    verdict = judge(history.ops(), found, ttl=ttl, drained=drained)
    if REPAIRED.search(log):
        verdict.add("repaired", ["the Manager had to correct jobs when it started"])
    if "Traceback" in log:
        verdict.add("log", [f"a traceback: {log[log.index('Traceback') :][-300:]}"])
    if verdict.wrong:
        shown = "; ".join(verdict.wrong[:4])
        raise Broken(f"{len(verdict.wrong)} violations: {shown}")
    return verdict


async def drain(person: Any, seconds: float, *, held: tuple[str, ...] = ()) -> float:
    """Wait until no job has anything left to do; return how long that took (s)."""
    began = time.monotonic()
    going = {"active", "queued", "requeueing", "cancel-requested", "pause-requested"}
    while time.monotonic() - began < seconds:
        answer = await person._ask("GET", "/api/v3/jobs")
        if answer is not None and answer.is_success:
            jobs = answer.json()["jobs"]
            if not any(j["status"] in going or j.get("delete_requested_at") for j in jobs):
                return time.monotonic() - began
        await asyncio.sleep(0.2)
    raise Broken(f"the jobs are not at their end after {seconds:g} s")
