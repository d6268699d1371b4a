from __future__ import annotations

from flamenco_core.manager.liveness import BEATS_MISSED, Liveness


async def test_who_says_nothing_about_beats_has_the_long_time_out(clock) -> None:
    liveness = Liveness(clock, 70)
    liveness.heard("w")
    await clock.advance(70)
    assert liveness.overdue() == []
    await clock.advance(1)
    assert liveness.overdue() == ["w"]


async def test_who_calls_often_is_missed_soon(clock) -> None:
    liveness = Liveness(clock, 70)
    liveness.heard("w", 5)
    await clock.advance(5 * BEATS_MISSED + 1)
    assert liveness.overdue() == ["w"]
    liveness.heard("w", 0)
    assert liveness.overdue() == []


async def test_a_jump_of_the_wall_clock_gives_nobody_up(clock) -> None:
    liveness = Liveness(clock, 70)
    liveness.heard("w")
    clock._now += 10**13
    assert liveness.overdue() == []


async def test_expected_workers_get_a_full_time_out_and_were_not_seen(clock) -> None:
    liveness = Liveness(clock, 70)
    liveness.expect(["w"])
    assert liveness.last_seen("w") is None
    assert liveness.unsaved() == []
    await clock.advance(71)
    assert liveness.overdue() == ["w"]
    liveness.forget("w")
    assert liveness.overdue() == []


def test_each_contact_is_saved_once(clock) -> None:
    liveness = Liveness(clock, 70)
    liveness.heard("w")
    assert liveness.unsaved() == [("w", clock.now())]
    assert liveness.unsaved() == []
    assert liveness.last_seen("w") == clock.now()


def test_who_should_have_called_by_now_is_late(clock) -> None:
    liveness = Liveness(clock, 100)
    liveness.heard("w")
    assert not liveness.is_late("w", None)
    clock.set(clock.monotonic() + 80)
    assert not liveness.is_late("w", None)
    clock.set(clock.monotonic() + 1)
    assert liveness.is_late("w", None)
    liveness.heard("w")
    assert not liveness.is_late("w", None)


def test_of_whom_nothing_is_expected_is_not_late(clock) -> None:
    assert not Liveness(clock, 100).is_late("w", 1)


def test_who_calls_another_manager_is_not_late_here(clock) -> None:
    liveness = Liveness(clock, 100)
    liveness.heard("w")
    clock.set(clock.monotonic() + 200)
    assert not liveness.is_late("w", clock.now() - 20_000_000)
    # What another Manager has heard is stored with a delay, which is let pass.
    assert not liveness.is_late("w", clock.now() - 89_000_000)
    assert liveness.is_late("w", clock.now() - 91_000_000)


def test_after_a_start_nobody_is_late_for_having_been_silent_before(clock) -> None:
    liveness = Liveness(clock, 100)
    liveness.expect(["w"])
    assert not liveness.is_late("w", clock.now() - 10**12)
