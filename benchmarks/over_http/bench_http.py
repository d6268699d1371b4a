"""Life cycles of tasks per second over real HTTP, and the pause between two tasks.

A life cycle is: claimed, active, completed; each step is on disk before its answer. The
server is the product's own, with SQLite on disk; the clients are another process. *Ours*
is what our Worker says (the report of a completed task brings the next one), *Flamenco's*
is what Flamenco's own say. The bare writer does the same without HTTP, in the same run:
compare the rates with its, for it knows how fast this machine is at the moment.

    python benchmarks/http.py [--quick] [--json]
    python benchmarks/http.py --database postgresql --managers 2 [--quick] [--json]

The second compares one Manager with several on one database; see ``bench_managers``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import httpx
from bench_client import load

from flamenco_core import Author, Command, JobType, Run, hookimpl, setting
from flamenco_core.clock import SystemClock, new_id
from flamenco_core.manager import ManagerSettings, create_manager
from flamenco_core.manager.server import serve
from flamenco_core.manager.usecases import report, schedule, workers
from flamenco_core.wire.jobs import SubmittedJob
from flamenco_core.worker import WorkerSettings, create_worker

PROGRAM = str(Path(__file__).resolve())
CLIENTS = (1, 10, 100)
TARGET = 1500
BATCH = 5000
"""Tasks of a job: as on a farm, there are several."""


@attrs.frozen
class ManyTasks(JobType):
    """So many tasks that do nothing."""

    name = "many-tasks"
    label = "Many tasks"
    tasks: int = setting(100)

    def author(self, author: Author) -> None:
        for number in range(self.tasks):
            author.task(f"render-{number}", "misc").command("mark", {})


MARKS: list[tuple[float, float]] = []


@attrs.frozen
class Mark(Command):
    """Note when it ran."""

    name = "mark"

    async def run(self, run: Run) -> None:
        started = time.perf_counter()
        MARKS.append((started, time.perf_counter()))


class Plugin:
    """What the benchmark needs on both sides."""

    @hookimpl
    def register_job_types(self) -> list[type[JobType]]:
        return [ManyTasks]

    @hookimpl
    def register_commands(self) -> list[type[Command]]:
        return [Mark]


def manager(folder: Path, database: str = "") -> Any:
    settings = ManagerSettings(
        database=database or str(folder / "bench.sqlite"),
        local_manager_storage_path=folder / "local",
        shared_storage_path=str(folder),
        autodiscoverable=False,
    )
    return create_manager(settings, plugins=[Plugin()], discover=False, strict=True)


# -- over HTTP -------------------------------------------------------------------------------


@contextmanager
def server(profile: str = "", database: str = "", shared: str = "") -> Iterator[str]:
    """Run the product's server as a process; give its URL."""
    with tempfile.TemporaryDirectory(prefix="flamenco-bench-") as own:
        command = [sys.executable, PROGRAM, "--serve", shared or own]
        command += ["--profile", profile] if profile else []
        command += ["--database", database] if database else []
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def submit(url: str, tasks: int) -> None:
    for start in range(0, tasks, BATCH):
        job = {"name": "bench", "type": "many-tasks", "submitter_platform": "linux"}
        body = {**job, "settings": {"tasks": min(BATCH, tasks - start)}}
        httpx.post(f"{url}/api/v3/jobs", json=body, timeout=60).raise_for_status()


def rates_over_http(
    clients: Iterable[int], seconds: float, protocol: str, profile: str = ""
) -> dict[str, int]:
    """Return the rates with so many clients at a time, one after the other."""
    with server(profile) as url:
        return {str(n): round(rate_over_http(url, n, seconds, protocol)) for n in clients}


def rate_over_http(url: str, clients: int, seconds: float, protocol: str) -> float:
    submit(url, int(seconds * (1000 if clients == 1 else 3000)) + 1000)
    command = [sys.executable, PROGRAM, "--load", url, "--clients", str(clients)]
    command += ["--seconds", str(seconds), "--protocol", protocol]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


# -- without HTTP ----------------------------------------------------------------------------


async def rate_of_writer(seconds: float, clients: int = 100) -> float:
    """Let so many workers live their cycles through the same use cases."""
    with tempfile.TemporaryDirectory(prefix="flamenco-bench-") as folder:
        app = manager(Path(folder))
        async with app.lifespan():
            farm = app.state.manager
            await fill(farm, int(seconds * 6000) + 1000)
            ids = [await join(farm) for _ in range(clients)]
            until = time.perf_counter() + seconds
            started = time.perf_counter()
            counts = await asyncio.gather(*(live(farm, id, until) for id in ids))
            return sum(counts) / (time.perf_counter() - started)


async def fill(farm: Any, tasks: int) -> None:
    from flamenco_core.manager.submission import submit as submit_job

    for start in range(0, tasks, BATCH):
        settings = {"tasks": min(BATCH, tasks - start)}
        body = SubmittedJob(
            name="bench", type="many-tasks", submitter_platform="linux", settings=settings
        )
        await submit_job(farm, body)


async def join(farm: Any) -> str:
    id = new_id()
    new = workers.Registration(
        uuid=id, secret_hash="", name=id, address="", platform="linux", task_types=["misc"]
    )
    await farm.database.write(workers.register_worker, new)
    await farm.database.write(workers.state_changed, id, workers.WorkerStatus.AWAKE, farm.rules)
    return id


async def live(farm: Any, worker: str, until: float) -> int:
    count = 0
    run: Any = await farm.database.brief(schedule.schedule_task, worker, farm.rules)
    active, completed = workers.TaskStatus.ACTIVE, workers.TaskStatus.COMPLETED
    while time.perf_counter() < until:
        said = report.Report(status=active, activity="Started", epoch=run.epoch, seq=1)
        await farm.database.brief(report.report_task, worker, run.task_id, said, farm.rules)
        said = report.Report(status=completed, activity="Completed", epoch=run.epoch, seq=2)
        _, run = await farm.database.brief(
            report.report_and_schedule, worker, run.task_id, said, farm.rules
        )
        count += 1
    return count


# -- between two tasks -----------------------------------------------------------------------


def dead_time(tasks: int) -> float:
    """Return the median pause (ms) from the end of one task's command to the next one's start."""
    with server() as url, tempfile.TemporaryDirectory(prefix="flamenco-bench-") as home:
        submit(url, tasks)
        MARKS.clear()
        asyncio.run(work(url, home, tasks))
    pauses = [b[0] - a[1] for a, b in pairwise(MARKS)]
    return statistics.median(pauses) * 1000


async def work(url: str, home: str, tasks: int) -> None:
    settings = WorkerSettings(manager_url=url, home=home, task_types=["misc"])
    worker = create_worker(settings, plugins=[Plugin()], discover=False, strict=True)
    running = asyncio.create_task(worker.run())
    clock = SystemClock()
    while len(MARKS) < tasks and not running.done():
        await clock.sleep(0.05)
    worker.stop()
    await running


# -- the program -----------------------------------------------------------------------------


def measure(seconds: float, tasks: int) -> dict[str, Any]:
    return {
        "sqlite": rates_over_http(CLIENTS, seconds, "ours"),
        "flamenco": rates_over_http(CLIENTS, seconds, "flamenco"),
        "writer": round(asyncio.run(rate_of_writer(seconds))),
        "dead_time_ms": round(dead_time(tasks), 1),
    }


def show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("clients", "ours", "Flamenco's", title="life cycles per second, SQLite")
    for clients in CLIENTS:
        row = (found["sqlite"][str(clients)], found["flamenco"][str(clients)])
        table.add_row(str(clients), *(f"{rate:,}" for rate in row))
    console = Console()
    console.print(table)
    share = found["sqlite"]["100"] / max(1, found["writer"])
    console.print(f"bare writer, no HTTP: {found['writer']:,}/s; over HTTP {share:.0%} of it")
    console.print(f"target with 100 clients: {TARGET:,}/s")
    console.print(f"pause between two tasks of a Worker: {found['dead_time_ms']} ms (median)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less exact, within 50 seconds")
    parser.add_argument("--json", action="store_true", help="one object as the last line")
    parser.add_argument("--database", default="", help="postgresql: several Managers on it")
    parser.add_argument("--managers", type=int, default=2, help="so many, and one")
    parser.add_argument("--only", type=int, help="only ours, with so many clients")
    parser.add_argument("--profile", default="", help="where the server writes its profile")
    for inner in ("--serve", "--load", "--protocol"):
        parser.add_argument(inner, default="", help=argparse.SUPPRESS)
    parser.add_argument("--clients", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=0.0, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.serve:
        run_server(told.serve, told.profile, told.database)
    elif told.load:
        print(asyncio.run(load(told.load, told.clients, told.seconds, told.protocol)))
    elif told.database:
        seconds = told.seconds or (3.0 if told.quick else 10.0)
        report_managers(seconds, told.managers, told.protocol or "ours", told.json)
    elif told.only:
        seconds, protocol = told.seconds or 5.0, told.protocol or "ours"
        print(rates_over_http([told.only], seconds, protocol, told.profile))
    else:
        report_all(told.quick, told.json)


def report_all(quick: bool, as_json: bool) -> None:
    found = measure(2.0 if quick else 10.0, 100 if quick else 400)
    show(found)
    if as_json:
        print(json.dumps(found))


def report_managers(seconds: float, most: int, protocol: str, as_json: bool) -> None:
    from bench_managers import measure_managers, show_managers

    found = measure_managers(sys.modules[__name__], seconds, most, protocol)
    show_managers(found)
    if as_json:
        print(json.dumps(found))


def run_server(folder: str, profile: str, database: str) -> None:
    app = manager(Path(folder), database)
    if not profile:
        serve(app, "127.0.0.1", 0, lambda url: print(url, flush=True))
        return
    import cProfile

    with cProfile.Profile() as profiler:
        serve(app, "127.0.0.1", 0, lambda url: print(url, flush=True))
    profiler.dump_stats(profile)


if __name__ == "__main__":
    main()
