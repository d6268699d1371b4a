"""Services that only one Manager runs, and which one that is when Managers come and go."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest
from several_steps import Managers, cut_lines, hears, until

from flamenco_core import Service, hookimpl

pytestmark = pytest.mark.postgresql


class Guard:
    """A plugin whose service notes where it runs."""

    def __init__(self, name: str, running: list[str], *, once: bool = True) -> None:
        self.name, self.running, self.once = name, running, once

    @hookimpl
    def register_services(self) -> list[Service]:
        return [Service(name="guard", run=self.run, once_per_farm=self.once)]

    async def run(self) -> None:
        self.running.append(self.name)
        try:
            await asyncio.Event().wait()
        finally:
            self.running.remove(self.name)


@pytest.fixture
def running() -> list[str]:
    return []


async def test_one_of_two_runs_it_and_the_other_when_that_one_stops(
    managers: Managers, running: list[str]
) -> None:
    alfa = await managers.start(Guard("alfa", running))
    await until(lambda: running == ["alfa"])
    beta = await managers.start(Guard("beta", running))
    # Its line asks for duties before it listens.
    await hears(alfa, beta)
    assert running == ["alfa"]
    await managers.stop(alfa)
    await until(lambda: running == ["beta"], 5)


async def test_a_service_for_everybody_runs_on_both(managers: Managers, running: list[str]) -> None:
    for name in ("alfa", "beta"):
        await managers.start(Guard(name, running, once=False))
    await until(lambda: sorted(running) == ["alfa", "beta"])


async def test_a_plugin_that_only_one_has_runs_there(
    managers: Managers, running: list[str]
) -> None:
    await managers.start()
    await managers.start(Guard("beta", running))
    await until(lambda: running == ["beta"])


async def test_who_loses_the_line_loses_its_duties_and_one_has_them_again(
    managers: Managers, running: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("alfa", "beta"):
        await managers.start(Guard(name, running))
    for _ in range(3):
        await until(lambda: len(running) == 1)
        caplog.clear()
        cut_lines(managers.url)
        await until(lambda: "service 'guard' goes on in another Manager" in caplog.text)
        await until(lambda: caplog.text.count("the line to other Managers is back") == 2)
        assert len(running) <= 1


async def test_one_that_fails_keeps_its_duty(managers: Managers, running: list[str]) -> None:
    tried: list[str] = []

    class Broken(Guard):
        async def run(self) -> None:
            tried.append(self.name)
            raise OSError("trouble")

    await managers.start(Broken("alfa", running))
    await until(lambda: tried == ["alfa"])
    await managers.start(Guard("beta", running))
    await until(lambda: tried == ["alfa", "alfa"])
    assert running == []


HOLDER = """
import asyncio, sys
from flamenco_core.manager.store.postgresql_line import PostgresLine

class Deaf:
    def __getattr__(self, name):
        return lambda *told: b""

async def main():
    line = PostgresLine(sys.argv[1])
    await line.start(Deaf())
    await line.taken("guard")
    print("taken", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_duty_of_a_killed_process_is_taken_within_seconds(
    managers: Managers, running: list[str]
) -> None:
    command = [sys.executable, "-c", HOLDER, managers.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert await asyncio.to_thread(other.stdout.readline) == "taken\n"
            alfa = await managers.start(Guard("alfa", running))
            await until(lambda: not alfa.manager.database.line.is_alone)
            assert running == []
        finally:
            other.kill()
        started = time.monotonic()
        await until(lambda: running == ["alfa"])
        assert time.monotonic() - started < 4
