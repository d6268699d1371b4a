"""What 1,000 connections that begin a request and never end it do to everybody else.

The server is the product's own. While the half-open connections are there, one client asks
for the version again and again; then it is seen when the last of them is closed, and how
many lines the server has written meanwhile.

    python benchmarks/half_open.py [--quick] [--json]
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flamenco_core.config import Duration
from flamenco_core.manager import ManagerSettings, create_manager
from flamenco_core.manager.limits import Limits
from flamenco_core.manager.server import serve
from flamenco_core.platform import raise_file_limit

PROGRAM = str(Path(__file__).resolve())
HALF = b"POST /api/v3/jobs HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WHOLE = b"GET /api/v3/version HTTP/1.1\r\nHost: localhost\r\n\r\n"
TARGET_MS = 100
PAUSE = 0.01


@contextmanager
def server(seconds: float) -> Iterator[tuple[int, Path]]:
    """Run a Manager that waits so long for a head; give its port and the file of its log."""
    with tempfile.TemporaryDirectory(prefix="flamenco-bench-") as folder:
        log = Path(folder, "log")
        command = [sys.executable, PROGRAM, "--serve", folder, "--seconds", str(seconds)]
        with log.open("w") as file:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True)
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            yield int(url.rpartition(":")[2]), log
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def measure(port: int, log: Path, connections: int) -> dict[str, Any]:
    before = len(log.read_text().splitlines())
    found = asyncio.run(hold_many(port, connections))
    return found | {"log_lines": len(log.read_text().splitlines()) - before}


async def hold_many(port: int, connections: int) -> dict[str, Any]:
    started = time.perf_counter()
    held = await asyncio.gather(*(hold(port) for _ in range(connections)))
    opened = time.perf_counter()
    closing = asyncio.gather(*(until_closed(*line) for line in held))
    pings = await ping(port, closing)
    ends = await closing
    return {
        "connections": connections,
        "opened_s": round(opened - started, 2),
        "closed": sum(end is not None for end in ends),
        "closed_after_s": round(max(end or 0.0 for end in ends) - started, 1),
        "pings": len(pings),
        "ping_p50_ms": round(statistics.median(pings) * 1000, 1),
        "ping_p99_ms": round(statistics.quantiles(pings, n=100)[98] * 1000, 1),
    }


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def hold(port: int) -> Line:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HALF)
    return reader, writer


async def until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float | None:
    """Return when the server has hung up; None if it does not."""
    try:
        async with asyncio.timeout(60):
            await reader.read()
    except TimeoutError:
        return None
    except ConnectionError:
        pass
    finally:
        writer.close()
    return time.perf_counter()


async def ping(port: int, until: asyncio.Future[Any]) -> list[float]:
    """Ask on one connection for as long as the others are held."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    while not until.done():
        started = time.perf_counter()
        writer.write(WHOLE)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)
        took.append(time.perf_counter() - started)
        await asyncio.sleep(PAUSE)
    writer.close()
    return took


def run_server(folder: str, seconds: float) -> None:
    import logging

    logging.basicConfig(level=logging.INFO)
    settings = ManagerSettings(
        database=str(Path(folder, "bench.sqlite")),
        local_manager_storage_path=Path(folder, "local"),
        shared_storage_path=folder,
        autodiscoverable=False,
        limits=Limits(header_timeout=Duration.of(seconds)),
    )
    app = create_manager(settings, discover=False)
    serve(app, "127.0.0.1", 0, lambda url: print(url, flush=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="300 connections, given 2 s")
    parser.add_argument("--json", action="store_true", help="one object as the last line")
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=10.0, help="what a head may take")
    told = parser.parse_args()
    if told.serve:
        run_server(told.serve, told.seconds)
        return
    seconds, connections = (2.0, 300) if told.quick else (told.seconds, 1000)
    raise_file_limit(connections + 100)
    with server(seconds) as (port, log):
        found = measure(port, log, connections)
    for name, value in found.items():
        print(f"{name:>15}: {value}")
    print(f"target: all closed within {seconds:g} s and a moment, p99 of pings {TARGET_MS} ms")
    if told.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
