from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import anyio
import pytest

from flamenco_core.backoff import Backoff
from flamenco_core.errors import DutyLost
from flamenco_core.offers import Service
from flamenco_core.supervisor import Supervisor
from flamenco_core.testing import FakeClock


class Flaky:
    """A service that fails *times* times, then runs on."""

    def __init__(self, clock: FakeClock, times: int) -> None:
        self.clock, self.times, self.starts = clock, times, []

    async def __call__(self) -> None:
        self.starts.append(self.clock.monotonic())
        if len(self.starts) <= self.times:
            raise RuntimeError("trouble")
        await anyio.sleep_forever()


def supervised(clock: FakeClock, *services: Service) -> Supervisor:
    return Supervisor(services, clock=clock, random=random.Random(7), longest_pause=8)


async def test_a_service_that_fails_is_started_again_after_growing_pauses(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    flaky = Flaky(clock, 5)
    supervisor = supervised(clock, Service(name="flaky", run=flaky))
    async with anyio.create_task_group() as group:
        group.start_soon(supervisor.run)
        await clock.advance(100)
        group.cancel_scope.cancel()
    pauses = [b - a for a, b in pairwise(flaky.starts)]
    for pause, wanted in zip(pauses, (1, 2, 4, 8, 8), strict=True):
        assert pause == pytest.approx(wanted, rel=0.2)
    assert supervisor.failures == {"flaky": 5}
    assert caplog.text.count("service 'flaky' failed") == 5


async def test_a_service_that_fails_leaves_the_others_alone(clock: FakeClock) -> None:
    good = Flaky(clock, 0)
    bad = Flaky(clock, 1000)
    services = [Service(name="bad", run=bad), Service(name="good", run=good)]
    async with anyio.create_task_group() as group:
        group.start_soon(supervised(clock, *services).run)
        await clock.advance(20)
        group.cancel_scope.cancel()
    assert len(good.starts) == 1
    assert len(bad.starts) > 3


async def test_rounds_come_at_their_interval(clock: FakeClock) -> None:
    rounds = []

    async def look() -> None:
        rounds.append(clock.monotonic())

    async with anyio.create_task_group() as group:
        group.start_soon(supervised(clock, Service(name="look", run=look, every=60)).run)
        await clock.advance(185)
        group.cancel_scope.cancel()
    assert [moment - rounds[0] for moment in rounds] == [0, 60, 120, 180]


async def test_after_a_good_stretch_the_pauses_begin_anew(clock: FakeClock) -> None:
    starts = []

    async def run() -> None:
        starts.append(clock.monotonic())
        await clock.sleep(100)
        raise RuntimeError("trouble")

    async with anyio.create_task_group() as group:
        group.start_soon(supervised(clock, Service(name="s", run=run)).run)
        await clock.advance(400)
        group.cancel_scope.cancel()
    for a, b in pairwise(starts):
        assert b - a - 100 == pytest.approx(1, rel=0.2)


async def test_a_service_that_has_done_its_work_is_done(clock: FakeClock) -> None:
    async def once() -> None: ...

    await supervised(clock, Service(name="once", run=once)).run()


def test_pauses_grow_stay_below_the_longest_and_begin_anew() -> None:
    backoff = Backoff(first=1, longest=20, jitter=0.2, random=random.Random(7))
    pauses = [backoff.pause() for _ in range(200)]
    for pause, wanted in zip(pauses, [1, 2, 4, 8, 16], strict=False):
        assert abs(pause - wanted) <= 0.2 * wanted
    assert max(pauses) <= 24
    assert len(set(pauses[10:])) > 100
    backoff.reset()
    assert backoff.pause() <= 1.2


async def test_sleepers_of_the_fake_clock_wake_in_order(clock: FakeClock) -> None:
    woken = []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    began = clock.monotonic()
    async with anyio.create_task_group() as group:
        for seconds in (3, 1, 2, 5):
            group.start_soon(sleep, seconds)
        await clock.advance(3)
        assert woken == [(n, began + n) for n in (1, 2, 3)]
        assert clock.sleeping == [2]
        await clock.advance(2)
    assert clock.monotonic() == began + 5


class Switch:
    """Duties that a test gives and takes."""

    def __init__(self) -> None:
        self.mine, self.over = anyio.Event(), anyio.Event()
        self.done: list[str] = []

    async def taken(self, duty: str) -> None:
        await self.mine.wait()

    async def lost(self, duty: str) -> None:
        await self.over.wait()
        self.mine, self.over = anyio.Event(), anyio.Event()

    @contextmanager
    def doing(self, duty: str) -> Iterator[None]:
        self.done.append(f"begin {duty}")
        yield
        self.done.append(f"end {duty}")


async def test_a_service_that_is_a_duty_runs_while_this_process_has_it(clock: FakeClock) -> None:
    switch, log = Switch(), []

    async def run() -> None:
        log.append("begin")
        try:
            await anyio.sleep_forever()
        finally:
            log.append("end")

    once = Service(name="once", run=run, once_per_farm=True)
    async with anyio.create_task_group() as group:
        group.start_soon(Supervisor([once], clock=clock, duties=switch).run)
        for _ in range(2):
            log.clear()
            await anyio.wait_all_tasks_blocked()
            assert log == []
            switch.mine.set()
            await anyio.wait_all_tasks_blocked()
            assert log == ["begin"]
            switch.over.set()
            await anyio.wait_all_tasks_blocked()
            assert log == ["begin", "end"]
        group.cancel_scope.cancel()


async def test_rounds_of_a_duty_come_at_their_interval(clock: FakeClock) -> None:
    switch, rounds = Switch(), []

    async def look() -> None:
        rounds.append(clock.monotonic())

    once = Service(name="once", run=look, every=10, once_per_farm=True)
    async with anyio.create_task_group() as group:
        group.start_soon(Supervisor([once], clock=clock, duties=switch).run)
        await clock.advance(25)
        assert rounds == []
        switch.mine.set()
        await clock.advance(25)
        assert [moment - rounds[0] for moment in rounds] == [0, 10, 20]
        group.cancel_scope.cancel()


async def test_a_duty_that_is_done_is_not_done_again(clock: FakeClock) -> None:
    switch = Switch()
    switch.mine.set()

    async def work() -> None: ...

    once = Service(name="once", run=work, once_per_farm=True)
    await Supervisor([once], clock=clock, duties=switch).run()
    assert switch.done == ["begin once", "end once"]


async def test_who_is_told_by_its_work_that_the_duty_is_lost_waits_for_it_again(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    switch, rounds = Switch(), []
    switch.mine.set()

    async def look() -> None:
        rounds.append(clock.monotonic())
        if len(rounds) == 1:
            switch.mine = anyio.Event()
            raise DutyLost("another Manager has it")

    once = Service(name="once", run=look, every=10, once_per_farm=True)
    supervisor = Supervisor([once], clock=clock, duties=switch)
    async with anyio.create_task_group() as group:
        group.start_soon(supervisor.run)
        await clock.advance(100)
        assert len(rounds) == 1
        switch.mine.set()
        await anyio.wait_all_tasks_blocked()
        assert len(rounds) == 2
        group.cancel_scope.cancel()
    assert supervisor.failures == {"once": 0}
    assert "service 'once' goes on in another Manager" in caplog.text


async def test_without_others_there_are_no_duties_to_share(clock: FakeClock) -> None:
    ran = []

    async def work() -> None:
        ran.append(1)

    await supervised(clock, Service(name="once", run=work, once_per_farm=True)).run()
    assert ran == [1]
