"""What a line to other Managers keeps while it is broken."""

from __future__ import annotations

import pytest

pytest.importorskip("psycopg")

from flamenco_core.manager.store import postgresql_line
from flamenco_core.manager.store.postgresql_line import PostgresLine


@pytest.fixture
def line() -> PostgresLine:
    broken = PostgresLine("postgresql://nobody@127.0.0.1:1/none")
    broken.is_alone = False
    return broken


def test_so_many_news_wait_then_the_others_are_told_of_a_gap(
    line: PostgresLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_line, "MOST", 3)
    for number in range(10):
        line.say(number)
    assert [*line._said] == [9]
    assert line._has_gaps


def test_long_news_are_fewer(line: PostgresLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_line, "MOST_BYTES", 25)
    for number in range(4):
        line.say(number, 10)
    assert [*line._said] == [2, 3]
    assert line._has_gaps


def test_nothing_waits_for_nobody(line: PostgresLine) -> None:
    line.is_alone = True
    line.say("x", 10)
    assert not line._said
