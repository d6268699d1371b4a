"""How fast the Manager gives tasks to workers, however many are in the queue.

Each claim is what `POST /api/v3/worker/task` does to the database, through
`Database.write`: durable when it is counted, many clients at once. The queue is filled
with 1,000 to 1,000,000 tasks in jobs of 1,000, with finished ones beside them. `rejected`
puts 5,000 candidates before the first match that tags, task types, the blocklist, earlier
failures or unfinished parents rule out.

    python benchmarks/claim.py [--quick] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_farm import BLOCK, Farm
from rich.console import Console
from rich.table import Table

from flamenco_core.testing.postgresql import PostgresServer, find_binaries

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CLIENTS = 64
ROUNDS = 60
QUICK_ROUNDS = 12
WARM_UP = 2

Rates = dict[str, float | None]


async def rate_of_rounds(farm: Farm, queued: int, rounds: int) -> float:
    """Let all workers claim once each round; return the median of claims a second."""
    rates = []
    for number in range(WARM_UP + rounds):
        await farm.fill_up_to(queued)
        started = time.perf_counter()
        given = await farm.claim_once_each(CLIENTS)
        seconds = time.perf_counter() - started
        assert given == len(farm.workers), f"{given} of {len(farm.workers)} workers got a task"
        if number >= WARM_UP:
            rates.append(given / seconds)
        await farm.finish_all()
    return statistics.median(rates)


async def measure(where: str, sizes: tuple[int, ...], rounds: int) -> Rates:
    """Measure one kind of database."""
    rates: Rates = dict.fromkeys([*map(str, SIZES), "rejected"])
    async with Farm.open(f"{where}-queue", workers=128) as farm:
        for size in sizes:
            rates[str(size)] = await rate_of_rounds(farm, size, rounds)
    async with Farm.open(f"{where}-rejected", workers=32) as farm:
        await farm.fill_rejected()
        # A round is only 32 claims, some 7 ms: few of them say nothing.
        rates["rejected"] = await rate_of_rounds(farm, 20 * BLOCK, 10 * rounds)
    return rates


@contextmanager
def places() -> Iterator[dict[str, str]]:
    """Give a folder for SQLite, and a PostgreSQL server of our own."""
    binaries = find_binaries()
    # Not /tmp, which may be in memory: what is measured is the disk as well.
    disk = Path("/var/tmp")
    with tempfile.TemporaryDirectory(dir=disk if disk.is_dir() else None) as folder:
        found = {"sqlite": str(Path(folder) / "farm")}
        if binaries is None:
            yield found
            return
        server = PostgresServer(binaries)
        try:
            server.start()
            for name in ("farm-queue", "farm-rejected"):
                server._sql(f'CREATE DATABASE "{name}"')
            yield {**found, "postgresql": server.url("farm")}
        finally:
            server.stop()


def show(results: dict[str, Rates]) -> None:
    """Print a table for people."""
    table = Table("queued tasks", *results, title="claims per second, median of several rounds")
    for size in [*map(str, SIZES), "rejected"]:
        cells = [rates[size] for rates in results.values()]
        shown = ["left out" if rate is None else f"{rate:,.0f}" for rate in cells]
        table.add_row(f"{int(size):,}" if size.isdigit() else size, *shown)
    Console().print(table)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, < 50 s")
    parser.add_argument("--json", action="store_true", help="the figures, as the last line")
    options = parser.parse_args()
    results: dict[str, Rates] = {}
    with places() as found:
        for name, where in found.items():
            sizes = SIZES[:-1] if options.quick and name == "postgresql" else SIZES
            rounds = QUICK_ROUNDS if options.quick else ROUNDS
            results[name] = asyncio.run(measure(where, sizes, rounds))
    show(results)
    if options.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
