from __future__ import annotations

import logging

import pytest

from flamenco_core.manager import quiet
from flamenco_core.manager.quiet import Quiet, quietly


def record(text: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    given = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("log", logging.ERROR, "", 0, text, values, given)  # type: ignore[arg-type]


def raised(kind: type[Exception]) -> Exception:
    try:
        raise kind
    except Exception as error:
        return error


async def test_a_message_is_written_once_a_minute_then_with_how_many_there_were(clock) -> None:
    filter = Quiet(clock)
    assert filter.filter(record("cannot %s", 1))
    assert not filter.filter(record("cannot %s", 2))
    assert not filter.filter(record("cannot %s", 3))
    assert filter.filter(record("something else"))
    await clock.advance(60)
    last = record("cannot %s", "100%")
    assert filter.filter(last)
    assert last.getMessage() == "cannot 100% (and 2 more like it)"
    await clock.advance(60)
    again = record("cannot %s", 5)
    assert filter.filter(again)
    assert again.getMessage() == "cannot 5"


def test_errors_of_other_kinds_or_places_are_other_messages(clock) -> None:
    filter = Quiet(clock)
    assert filter.filter(record("failed", error=raised(ValueError)))
    assert not filter.filter(record("failed", error=raised(ValueError)))
    assert filter.filter(record("failed", error=raised(KeyError)))
    assert filter.filter(record("failed", error=ValueError()))


def test_ever_new_messages_do_not_fill_the_memory(clock, monkeypatch) -> None:
    monkeypatch.setattr(quiet, "MANY", 10)
    filter = Quiet(clock)
    for number in range(100):
        assert filter.filter(record(f"message {number}"))
    assert len(filter._said) <= 10


def test_logs_are_quiet_only_inside(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("flamenco.test.quiet")
    with quietly("flamenco.test.quiet"):
        log.warning("again")
        log.warning("again")
    log.warning("again")
    assert caplog.messages == ["again", "again"]
