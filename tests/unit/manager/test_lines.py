from __future__ import annotations

import logging

import attrs
import pytest

from flamenco_core.config import Duration
from flamenco_core.manager.limits import Limits
from flamenco_core.manager.peers import Peers
from flamenco_core.manager.server.lines import Lines, State

HEAD = State("head", 10.0)


@attrs.define(eq=False)
class Line:
    """A connection that is in the state that the test gives it."""

    address: str = "10.0.0.9"
    busy: State = HEAD
    state: State | None = None
    since: float = 0.0
    given_up: str = ""

    def look(self) -> State:
        return self.busy

    def give_up(self, state: State) -> None:
        self.given_up = state.word


async def test_a_line_is_given_up_when_it_is_too_long_in_one_state(clock) -> None:
    lines, line = Lines(Limits(), clock), Line()
    assert lines.admit(line)
    await clock.advance(9)
    lines.look()
    assert not line.given_up
    await clock.advance(1)
    lines.look()
    assert line.given_up == "head"
    assert lines.overdue == {"head": 1}


@pytest.mark.parametrize(
    "following",
    [State("work"), State("head", 10.0, object()), State("head", 10.0, None, 1)],
)
async def test_another_state_or_progress_begins_anew(clock, following: State) -> None:
    lines, line = Lines(Limits(), clock), Line()
    lines.admit(line)
    for busy in (line.busy, following):
        line.busy = busy
        await clock.advance(9)
        lines.look()
    await clock.advance(1)
    lines.look()
    assert not line.given_up


async def test_zero_means_for_ever(clock) -> None:
    lines = Lines(Limits(header_timeout=Duration()), clock)
    line = Line(busy=State("head", lines.head))
    lines.admit(line)
    for _ in range(3):
        await clock.advance(10**6)
        lines.look()
    assert not line.given_up


async def test_all_that_are_closed_together_are_one_line_of_the_log(clock, caplog) -> None:
    caplog.set_level(logging.INFO)
    lines = Lines(Limits(), clock)
    for number in range(100):
        lines.admit(Line(f"10.0.0.{number % 3}"))
    await clock.advance(11)
    lines.look()
    (said,) = caplog.messages
    assert said == "closed connections that took too long: 100, 34 of them from 10.0.0.0"


async def test_to_be_idle_for_long_is_no_fault(clock, caplog) -> None:
    caplog.set_level(logging.INFO)
    lines = Lines(Limits(), clock)
    line = Line(busy=State("idle", lines.idle))
    lines.admit(line)
    await clock.advance(61)
    lines.look()
    assert line.given_up == "idle"
    assert not lines.overdue
    assert not caplog.messages


def test_looking_too_often_is_not_looking(clock) -> None:
    lines, line = Lines(Limits(), clock), Line()
    lines.admit(line)
    lines.look()
    line.busy = State("other", 0.0)
    lines.look()
    assert not line.given_up


def test_one_address_has_so_many_and_others_have_theirs(clock, caplog) -> None:
    peers = Peers(["10.0.0.1"])
    limits = Limits(connections_per_address=2)
    lines = Lines(limits, clock, speaks_for_many=peers.speaks_for_many)
    first = Line()
    assert lines.admit(first)
    assert lines.admit(Line())
    refused = Line()
    assert not lines.admit(refused)
    assert "10.0.0.9 has 2 already (limits: connections_per_address)" in caplog.text
    lines.leave(refused)
    assert lines.admit(Line("10.0.0.8"))
    for _ in range(9):
        assert lines.admit(Line("127.0.0.1"))
        assert lines.admit(Line("10.0.0.1"))
    lines.leave(first)
    lines.leave(first)
    assert lines.admit(Line())
    assert not lines.admit(Line())
    assert lines.refused == 2


@pytest.mark.parametrize(("files", "most"), [(None, 5), (3, 3), (100, 5)])
def test_there_are_no_more_than_the_system_has_files_for(clock, files, most: int) -> None:
    lines = Lines(Limits(connections=5), clock, most=files)
    assert [lines.admit(Line(f"10.0.1.{n}")) for n in range(7)].count(True) == most
    assert len(lines) == most


def test_other_limits_are_for_who_comes_next(clock) -> None:
    lines = Lines(Limits(connections=3), clock)
    assert [lines.admit(Line(f"10.0.1.{n}")) for n in range(4)] == [True, True, True, False]
    lines.follow(Limits(connections=2))
    assert len(lines) == 3  # nobody is sent away
    assert not lines.admit(Line())
    lines.follow(Limits(connections=9, connections_per_address=1), most=5)
    assert lines.admit(Line())
    assert not lines.admit(Line())
    assert lines.admit(Line("10.0.2.1"))
    assert not lines.admit(Line("10.0.2.2"))


async def test_a_shorter_time_counts_from_the_change(clock) -> None:
    lines = Lines(Limits(header_timeout=Duration()), clock)
    line = Line()
    line.busy = State("head", lines.head)
    lines.admit(line)
    await clock.advance(100)
    lines.look()
    lines.follow(Limits(header_timeout=Duration.of(10)))
    line.busy = State("head", lines.head)
    lines.look()
    await clock.advance(9)
    lines.look()
    assert not line.given_up
    await clock.advance(2)
    lines.look()
    assert line.given_up == "head"
