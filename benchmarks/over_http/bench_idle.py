"""What idle Workers cost the Manager: processor time and memory while all wait for work.

Each Worker asks for a task as ours do, is made to wait, and asks again when the time is up.
The server is the product's own, with SQLite on disk; the Workers are another process. At the
end one job is submitted: it shows how soon a waiting Worker has its task.

    python benchmarks/idle.py [--workers 1000] [--seconds 60] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
from bench_client import Line, Worker, joined
from bench_http import server, submit

PROGRAM = str(Path(__file__).resolve())
WORKERS = 1000
SECONDS = 60.0
WAIT = 30
"""Seconds that a Worker lets its question wait."""
TARGET = "5 % of a core, 300 MB"


async def idle(url: str, workers: int) -> None:
    """Let so many Workers wait until this process is stopped; say when they do."""
    where = urlsplit(url)
    loop = asyncio.get_running_loop()
    waiting: list[Worker] = []
    for id in await joined(url, workers):
        _, line = await loop.create_connection(Line, where.hostname, where.port)
        waiting.append(Worker(line, where.netloc, id))
    first = asyncio.Event()
    asking = [asyncio.create_task(ask(worker, first)) for worker in waiting]
    print("waiting", flush=True)
    await first.wait()
    print("found", flush=True)
    await asyncio.gather(*asking)


async def ask(worker: Worker, found: asyncio.Event) -> None:
    while not found.is_set():
        status, _ = await worker.post(b"task", more=b"Prefer: wait=%d\r\n" % WAIT)
        if status == 200:
            found.set()


def measure(workers: int, seconds: float) -> dict[str, float]:
    with server() as url:
        command = [sys.executable, PROGRAM, "--idle", url, "--workers", str(workers)]
        clients = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert clients.stdout is not None
        try:
            clients.stdout.readline()
            found = cost_of(url, seconds)
            started = time.perf_counter()
            submit(url, 1)
            clients.stdout.readline()
            return {**found, "first_task_ms": round((time.perf_counter() - started) * 1000, 1)}
        finally:
            clients.kill()
            clients.wait()
            clients.stdout.close()


def cost_of(url: str, seconds: float) -> dict[str, float]:
    """Watch the server's process for so long."""
    process = server_at(url)
    httpx.get(f"{url}/api/v3/version").raise_for_status()
    before, started = process.cpu_times(), time.perf_counter()
    time.sleep(seconds)
    after, took = process.cpu_times(), time.perf_counter() - started
    used = after.user + after.system - before.user - before.system
    return {
        "core_percent": round(100 * used / took, 2),
        "memory_mb": round(process.memory_info().rss / 1e6),
        "connections": len(process.net_connections("tcp")) - 1,
    }


def server_at(url: str) -> psutil.Process:
    port = urlsplit(url).port
    for child in psutil.Process().children():
        if any(c.laddr.port == port and c.status == "LISTEN" for c in child.net_connections("tcp")):
            return child
    raise RuntimeError("the server is gone")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--json", action="store_true", help="one object as the last line")
    parser.add_argument("--idle", default="", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.idle:
        asyncio.run(idle(told.idle, told.workers))
        return
    found = measure(told.workers, told.seconds)
    print(
        f"{told.workers:,} idle Workers: {found['core_percent']} % of a core,"
        f" {found['memory_mb']} MB; a new task is there after {found['first_task_ms']} ms"
    )
    print(f"target with {WORKERS:,}: {TARGET}")
    if told.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
