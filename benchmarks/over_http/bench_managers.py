"""The same life cycles with one Manager and with several on one PostgreSQL.

A PostgreSQL of our own runs for it, with its files on this machine's disk. Everything shares
the machine: Managers, PostgreSQL, clients. So this tells what it costs to be several, and
that nothing is done twice; what more machines bring, only more machines can tell.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from flamenco_core.testing.postgresql import PostgresServer, find_binaries

__all__ = ["measure_managers", "show_managers"]

CLIENTS = 100
ROUNDS = 2

_DONE = "SELECT count(*), count(DISTINCT task_id) FROM attempts WHERE outcome = 'completed'"
_COUNTED = "SELECT count(*) FROM tasks WHERE status = 'completed'"


def measure_managers(bench: Any, seconds: float, most: int, protocol: str) -> dict[str, Any]:
    """Return cycles per second with 1 to *most* Managers, and how many tasks were done twice.

    *bench* is the module that starts servers, submits jobs and knows the program.
    """
    found: dict[str, Any] = {"clients": CLIENTS, "rates": {}, "done_twice": 0}
    with postgresql() as server:
        # In turns: the machine is not always equally fast.
        for managers in [*range(1, most + 1)] * ROUNDS:
            url = server.url(server.create_database())
            rate = rate_with(bench, url, managers, seconds / ROUNDS, protocol)
            known = found["rates"].get(str(managers), 0)
            found["rates"][str(managers)] = known + round(rate / ROUNDS)
            found["done_twice"] += done_twice(url)
    found["ratio"] = round(found["rates"][str(most)] / max(1, found["rates"]["1"]), 2)
    return found


@contextmanager
def postgresql() -> Iterator[PostgresServer]:
    binaries = find_binaries()
    if binaries is None:
        sys.exit("install PostgreSQL for this (Debian: apt-get install postgresql)")
    server = PostgresServer(binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def rate_with(bench: Any, database: str, managers: int, seconds: float, protocol: str) -> float:
    with ExitStack() as stack:
        shared = stack.enter_context(tempfile.TemporaryDirectory(prefix="flamenco-bench-"))
        servers = [bench.server(database=database, shared=shared) for _ in range(managers)]
        urls = [stack.enter_context(server) for server in servers]
        bench.submit(urls[0], int(seconds * 2000) + 2000)
        return sum(rates(bench.PROGRAM, urls, seconds, protocol))


def rates(program: str, urls: Sequence[str], seconds: float, protocol: str) -> Iterator[float]:
    """Let clients work with all Managers at the same time, as many with each."""
    loads = []
    for url in urls:
        command = [sys.executable, program, "--load", url, "--seconds", str(seconds)]
        command += ["--clients", str(CLIENTS // len(urls)), "--protocol", protocol]
        loads.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    for load in loads:
        said, _ = load.communicate()
        assert load.returncode == 0
        yield float(said)


def done_twice(database: str) -> int:
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        row = connection.execute(_DONE).fetchone()
        counted = connection.execute(_COUNTED).fetchone()
    assert row is not None
    assert counted is not None
    assert row[1] == counted[0] > 0, "a task that is completed has one run that was accepted"
    return int(row[0] - row[1])


def show_managers(found: dict[str, Any]) -> None:
    """Print what `measure_managers` has found."""
    for managers, rate in found["rates"].items():
        print(f"{managers} Manager(s) on PostgreSQL, {found['clients']} clients: {rate:,}/s")
    print(f"the last is {found['ratio']:.2f} of the first, on one machine")
    print(f"tasks that were done twice: {found['done_twice']}")
