"""Who is given up on a database that several Managers share."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.errors import Busy, NotFound
from flamenco_core.manager.shared_liveness import GATHER, SharedLiveness
from flamenco_core.manager.store.contacts import (
    Silence,
    Silent,
    expect,
    find_silent,
    keep_contacts,
    read_clock,
)
from flamenco_core.manager.timeouts import BREAK, GRACE, JUMP, SharedTimeouts
from flamenco_core.manager.usecases.silence import give_up_silent
from flamenco_core.testing import FakeClock

PATIENCE = 20_000_000
LONG = 600_000_000


def just_overdue(patience: int = PATIENCE) -> Silence:
    return Silence(lasts=patience + 1, patience=patience)


def long_gone(patience: int = PATIENCE) -> Silence:
    return Silence(lasts=10 * patience, patience=patience)


class Rows:
    """A database that says who is silent, by a clock that goes with ours or does not."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.is_set_by = 0.0
        self.overdue: dict[str, Silence] = {}
        self.unknown: list[str] = []
        self.called_meanwhile: set[str] = set()
        self.given_up: list[str] = []
        self.expected: list[str] = []
        self.stored: list[Any] = []
        self.is_away = False

    async def read(self, fn: Any, *margin: int) -> Any:
        now = round((self.clock.monotonic() + self.is_set_by) * 1_000_000)
        if fn is read_clock:
            return now
        assert fn is find_silent
        return Silent(now=now, overdue=dict(self.overdue), unknown=list(self.unknown))

    async def write(self, fn: Any, *args: Any) -> Any:
        if self.is_away:
            raise Busy("the database does not answer")
        if fn is expect:
            self.expected += args[0]
        elif fn is keep_contacts:
            self.stored.append({c.worker: (c.age, c.patience) for c in args[0]})
        else:
            assert fn is give_up_silent
            return self._give_up(args[0])
        return None

    def _give_up(self, worker: str) -> bool:
        if worker == "deleted":
            raise NotFound("there is no worker")
        if worker in self.called_meanwhile:
            return False
        self.overdue.pop(worker)
        self.given_up.append(worker)
        return True


@pytest.fixture
def rows(clock: FakeClock) -> Rows:
    return Rows(clock)


@pytest.fixture
def liveness(clock: FakeClock, rows: Rows) -> SharedLiveness:
    return SharedLiveness(clock, 70, rows)  # type: ignore[arg-type]


@pytest.fixture
def timeouts(clock: FakeClock, rows: Rows, liveness: SharedLiveness) -> SharedTimeouts:
    return SharedTimeouts(rows, liveness, lambda: None, clock=clock)  # type: ignore[arg-type]


async def watch(timeouts: SharedTimeouts, clock: FakeClock, seconds: float) -> None:
    for _ in range(round(seconds * 2)):
        await timeouts.give_up_overdue()
        await clock.advance(0.5)
    await timeouts.give_up_overdue()


async def test_nobody_is_given_up_before_a_full_time_out_was_watched(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock
) -> None:
    rows.overdue = {"w": just_overdue()}
    await watch(timeouts, clock, 19.5)
    assert rows.given_up == []
    await watch(timeouts, clock, 0.5)
    assert rows.given_up == ["w"]


async def test_who_becomes_silent_later_is_given_up_at_once(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock
) -> None:
    await watch(timeouts, clock, 70)
    rows.overdue = {"w": just_overdue(), "deleted": just_overdue(), "x": just_overdue()}
    await timeouts.give_up_overdue()
    assert rows.given_up == ["w", "x"]


async def test_whom_this_manager_has_heard_is_not_given_up(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock, liveness: SharedLiveness
) -> None:
    await watch(timeouts, clock, 30)
    liveness.heard("w", 5)
    rows.overdue = {"w": just_overdue()}
    await watch(timeouts, clock, 19)
    assert rows.given_up == []
    await watch(timeouts, clock, 2)
    assert rows.given_up == ["w"]


async def test_who_calls_another_manager_in_the_last_moment_is_kept(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock
) -> None:
    await watch(timeouts, clock, 30)
    rows.overdue, rows.called_meanwhile = {"w": just_overdue()}, {"w"}
    await timeouts.give_up_overdue()
    assert rows.given_up == []


@pytest.mark.parametrize("by", [86_400, -86_400, JUMP + 0.1])
async def test_a_clock_that_is_set_gives_everybody_a_full_time_out(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock, by: float
) -> None:
    await watch(timeouts, clock, 100)
    rows.is_set_by, rows.overdue = by, {"w": just_overdue()}
    await watch(timeouts, clock, 19.5)
    assert rows.given_up == []
    await watch(timeouts, clock, 1)
    assert rows.given_up == ["w"]


async def test_a_clock_that_drifts_is_no_reason_to_wait(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock
) -> None:
    for _ in range(100):
        rows.is_set_by += 0.01
        await watch(timeouts, clock, 0.5)
    rows.overdue = {"w": just_overdue()}
    await timeouts.give_up_overdue()
    assert rows.given_up == ["w"]


async def test_after_a_database_that_was_away_everybody_gets_a_full_time_out(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock
) -> None:
    await watch(timeouts, clock, 100)
    rows.overdue = {"w": just_overdue()}
    await clock.advance(BREAK + 0.1)
    await watch(timeouts, clock, 19.5)
    assert rows.given_up == []


@pytest.mark.parametrize(("patience", "grace"), [(PATIENCE, 20), (LONG, GRACE)])
async def test_workers_of_a_manager_that_died_get_time_to_call_another(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock, patience: int, grace: float
) -> None:
    await watch(timeouts, clock, 700)
    timeouts.manager_left()
    rows.overdue = {"w": long_gone(patience)}
    await watch(timeouts, clock, grace - 0.5)
    assert rows.given_up == []
    await watch(timeouts, clock, 0.5)
    assert rows.given_up == ["w"]


async def test_what_a_manager_that_died_has_heard_last_counts_although_it_is_not_stored(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock
) -> None:
    await watch(timeouts, clock, 700)
    timeouts.manager_left()
    await watch(timeouts, clock, GRACE)
    last = LONG + 15_000_000
    rows.overdue = {"w": Silence(lasts=last - 1, patience=LONG)}
    await timeouts.give_up_overdue()
    assert rows.given_up == []
    rows.overdue = {"w": Silence(lasts=last, patience=LONG)}
    await timeouts.give_up_overdue()
    assert rows.given_up == ["w"]


async def test_long_after_a_manager_died_everything_is_as_before(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock
) -> None:
    await watch(timeouts, clock, 700)
    timeouts.manager_left()
    await watch(timeouts, clock, 616)
    rows.overdue = {"w": just_overdue(LONG)}
    await timeouts.give_up_overdue()
    assert rows.given_up == ["w"]


async def test_who_has_watched_while_another_decided_takes_over_at_once(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock
) -> None:
    for _ in range(100):
        await timeouts.watch()
        await clock.advance(1)
    rows.overdue = {"w": just_overdue()}
    await timeouts.give_up_overdue()
    assert rows.given_up == ["w"]


async def test_who_was_frozen_itself_gives_everybody_a_full_time_out(
    timeouts: SharedTimeouts, rows: Rows, clock: FakeClock
) -> None:
    await watch(timeouts, clock, 100)
    await clock.advance(40)
    rows.overdue = {"w": long_gone()}
    await watch(timeouts, clock, 19.5)
    assert rows.given_up == []


async def test_workers_that_nobody_knows_of_are_expected(
    timeouts: SharedTimeouts, rows: Rows
) -> None:
    rows.unknown = ["new"]
    await timeouts.give_up_overdue()
    assert (rows.expected, rows.given_up) == (["new"], [])


# -- what is stored


async def test_contacts_are_gathered_and_only_old_ones_are_stored(
    liveness: SharedLiveness, rows: Rows, clock: FakeClock
) -> None:
    for worker in ("a", "b"):
        liveness.heard(worker, 5)
    liveness.heard("go")
    await clock.advance(GATHER)
    await liveness.store()
    age = round(GATHER * 1_000_000)
    expected = {"a": (age, PATIENCE), "b": (age, PATIENCE), "go": (age, 70_000_000)}
    assert rows.stored == [expected]
    for _ in range(40):
        await clock.advance(0.1)
        liveness.heard("a", 5)
    await liveness.store()
    assert rows.stored[1:] == [{}]
    await clock.advance(1)
    liveness.heard("a", 5)
    await liveness.store()
    assert rows.stored[2:] == [{"a": (0, PATIENCE)}]


async def test_a_request_waits_for_nothing_and_the_service_stores(
    liveness: SharedLiveness, rows: Rows, clock: FakeClock
) -> None:
    import anyio

    async with anyio.create_task_group() as group:
        group.start_soon(liveness.run)
        await anyio.wait_all_tasks_blocked()
        liveness.heard("a", 5)
        assert rows.stored == []
        await clock.advance(GATHER)
        assert [*rows.stored[0]] == ["a"]
        # While the database is away, it is tried again and again, and nothing is forgotten.
        rows.is_away = True
        liveness.heard("b", 5)
        await clock.advance(120)
        assert len(rows.stored) == 1
        rows.is_away = False
        await clock.advance(2)
        assert [*rows.stored[1]] == ["b"]
        group.cancel_scope.cancel()


async def test_a_time_out_that_never_ends_is_stored_as_a_long_one(
    rows: Rows, clock: FakeClock
) -> None:
    liveness = SharedLiveness(clock, float("inf"), rows)  # type: ignore[arg-type]
    liveness.heard("go")
    await liveness.store()
    ((_, patience),) = rows.stored[0].values()
    assert patience > 86_400 * 365 * 1_000_000


async def test_who_signed_off_is_not_stored(liveness: SharedLiveness, rows: Rows) -> None:
    liveness.heard("a", 5)
    liveness.forget("a")
    await liveness.store()
    assert rows.stored == [{}]


async def test_who_calls_another_manager_now_is_forgotten(
    liveness: SharedLiveness, clock: FakeClock
) -> None:
    liveness.heard("gone", 5)
    await clock.advance(25)
    liveness.heard("here", 5)
    await liveness.store()
    # Its last call is not in the database yet.
    assert liveness.last_seen("gone") is not None
    liveness.unsaved()
    await liveness.store()
    assert liveness.last_seen("gone") is None
    assert liveness.last_seen("here") is not None
    assert [*liveness._stored_at] == ["here"]
