"""How long runs have been at work."""

from __future__ import annotations

from flamenco_core.manager.long_runs import RunTimes
from flamenco_core.testing import FakeClock

RUN, OTHER, AGAIN = ("a", 1), ("b", 1), ("a", 2)


def looks(clock: FakeClock, times: RunTimes, *steps: float, **limits: float) -> list[object]:
    known = {(name[0], int(name[1:])): limit for name, limit in limits.items()}
    found = []
    for seconds in steps:
        clock.set(clock.monotonic() + seconds)
        found.append(times.overdue(known))
    return found


def test_a_run_is_overdue_after_its_own_limit(clock: FakeClock) -> None:
    times = RunTimes(clock)
    assert looks(clock, times, 5, 5, 5, 5, a1=10, b1=100) == [[], [], [], [RUN]]


def test_it_counts_from_the_first_look_not_from_the_start_of_the_manager(clock: FakeClock) -> None:
    times = RunTimes(clock)
    looks(clock, times, 15, 15, 15)
    assert looks(clock, times, 5, 10, a1=10) == [[], []]


def test_another_run_of_the_task_has_its_whole_time(clock: FakeClock) -> None:
    times = RunTimes(clock)
    assert looks(clock, times, 5, 10, a1=10) == [[], []]
    assert looks(clock, times, 5, 10, 5, a2=10) == [[], [], [AGAIN]]


def test_a_manager_that_stood_still_counts_nothing(clock: FakeClock) -> None:
    times = RunTimes(clock)
    assert looks(clock, times, 5, 3600, 5, 6, a1=10) == [[], [], [], [RUN]]


def test_what_has_ended_is_forgotten(clock: FakeClock) -> None:
    times = RunTimes(clock)
    looks(clock, times, 5, 9, a1=10)
    looks(clock, times, 1)
    assert looks(clock, times, 5, 9, a1=10) == [[], []]
