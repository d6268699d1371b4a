"""The ``sleep`` of a worker or tag in a file: spans, exceptions, zone, or ``never``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from flamenco_core.cli.spans import conditions_in_words, span_of, spans_in_words
from flamenco_core.config import Scalar, Section, Wrong, option
from flamenco_core.config.load import unknown_keys
from flamenco_core.config.values import build
from flamenco_core.domain.sleep_words import date_from, tidy, zone_named
from flamenco_core.wire.sleep import SleepSpan, WorkerSleepSchedule

__all__ = ["read_sleep", "same_sleep", "sleep_in_words"]

T = TypeVar("T")
_HOW = "must be 'never', or a section with 'spans' such as [mo tu 22:00-06:00]"


@attrs.frozen(kw_only=True)
class _Sleep:
    """A whole schedule: what is left out is not there, or the usual."""

    spans: tuple[str, ...] = option(help="Such as ``mo tu 22:00-06:00``.")
    days_off: tuple[str, ...] = option((), "Dates on which no sleep begins.", key="except")
    time_zone: str = option("", "Such as Europe/Amsterdam.")
    finish_task: bool = option(False, "Whether a running task is finished first.")


def read_sleep(node: Any) -> WorkerSleepSchedule:
    """Read when a worker, or those with a tag, sleep; raises `Wrong`."""
    if isinstance(node, Scalar) and node.text.strip().lower() == "never":
        return WorkerSleepSchedule(is_active=False, days_of_week="", start_time="", end_time="")
    if not isinstance(node, Section):
        raise Wrong(_HOW, node)
    found, wrong = build(node, _Sleep)
    for unknown in unknown_keys(node, _Sleep, ()):
        hint = f"did you mean {unknown.nearest!r}" if unknown.nearest else _HOW
        wrong.append(Wrong(f"is unknown; {hint}", node[unknown.key], (unknown.key,)))
    if found is None or wrong:
        raise wrong[0]
    return _schedule(node, found)


def _schedule(node: Section, sleep: _Sleep) -> WorkerSleepSchedule:
    spans = [_checked(node, "spans", _tidy, text) for text in sleep.spans]
    if not spans:
        raise Wrong("must have a span; write 'sleep: never' for none", node, ("spans",))
    days = {_checked(node, "except", date_from, text).isoformat() for text in sleep.days_off}
    _checked(node, "time_zone", zone_named, sleep.time_zone)
    return WorkerSleepSchedule(
        is_active=True,
        days_of_week=spans[0].days_of_week,
        start_time=spans[0].start_time,
        end_time=spans[0].end_time,
        more_spans=spans[1:],
        exceptions=sorted(days),
        time_zone=sleep.time_zone,
        finish_task=sleep.finish_task,
    )


def _tidy(text: str) -> SleepSpan:
    # "mo tu" alone is the whole day, which a span of the command line cannot say.
    span = span_of(text) if "-" in text else SleepSpan(days_of_week=text)
    days, start, end = tidy(span.days_of_week, span.start_time, span.end_time)
    return SleepSpan(days_of_week=days, start_time=start, end_time=end)


def _checked(node: Section, key: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise Wrong(
            str(error), Scalar(text, None, getattr(node[key], "where", "")), (key,)
        ) from None


def same_sleep(wanted: WorkerSleepSchedule, found: WorkerSleepSchedule | None) -> bool:
    """Say whether a schedule is as it is wanted."""
    if not wanted.is_active:
        return found is None or not found.is_active
    return found is not None and _facts(found) == _facts(wanted)


def _facts(schedule: WorkerSleepSchedule) -> tuple[object, ...]:
    return (
        schedule.is_active,
        spans_in_words(schedule),
        sorted(schedule.exceptions or ()),
        schedule.time_zone or "",
        bool(schedule.finish_task),
    )


def sleep_in_words(schedule: WorkerSleepSchedule | None) -> str:
    """Return a schedule as people read it."""
    if schedule is None or not schedule.is_active:
        return "never"
    return f"{', and '.join(spans_in_words(schedule))}{conditions_in_words(schedule)}"
