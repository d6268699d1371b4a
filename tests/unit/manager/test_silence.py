from __future__ import annotations

import pytest

from flamenco_core.manager.silence import TaskSilence
from flamenco_core.testing import FakeClock

LIMIT = 600.0


@pytest.fixture
def silence(clock: FakeClock) -> TaskSilence:
    return TaskSilence(clock)


def pass_time(silence: TaskSilence, clock: FakeClock, seconds: float) -> list[str]:
    """Let time pass as it does on a farm: with a look every few seconds."""
    late: list[str] = []
    for _ in range(round(seconds / 5)):
        clock.set(clock.monotonic() + 5)
        late = silence.overdue(LIMIT)
    return late


def test_a_task_of_which_nothing_is_heard_is_overdue(silence, clock) -> None:
    silence.heard("a")
    assert pass_time(silence, clock, 300) == []
    silence.heard("b")
    assert pass_time(silence, clock, 305) == ["a"]
    silence.forget("a")
    silence.heard("b")
    assert pass_time(silence, clock, 600) == []
    assert pass_time(silence, clock, 5) == ["b"]


def test_a_manager_that_stood_still_blames_nobody(silence, clock) -> None:
    silence.heard("a")
    pass_time(silence, clock, 300)
    clock.set(clock.monotonic() + 86_400)
    assert silence.overdue(LIMIT) == []
    assert pass_time(silence, clock, 300) == []
    assert pass_time(silence, clock, 5) == ["a"]


def test_without_a_limit_nothing_is_expected_and_nothing_kept(silence, clock) -> None:
    silence.heard("a")
    clock.set(clock.monotonic() + 10)
    assert silence.overdue(0) == []
    assert pass_time(silence, clock, 1200) == []


def test_a_task_never_heard_of_is_for_another_manager_to_judge(silence, clock) -> None:
    assert pass_time(silence, clock, 1200) == []


def test_to_forget_what_is_unknown_is_fine(silence) -> None:
    silence.forget("a")
