"""Spans of sleep as people write and read them: ``mo tu 22:00-06:00``."""

from __future__ import annotations

from flamenco_core.wire.sleep import SleepSpan, WorkerSleepSchedule

__all__ = ["conditions_in_words", "span_of", "spans_in_words"]


def span_of(text: str) -> SleepSpan:
    """Read a span; raises `ValueError`. Days and times are checked by who uses them."""
    *days, times = text.split() or [""]
    start, dash, end = times.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is no span; write it as 'mo tu 22:00-06:00'")
    return SleepSpan(days_of_week=" ".join(days), start_time=start, end_time=end)


def spans_in_words(schedule: WorkerSleepSchedule) -> list[str]:
    """Return all spans of a schedule, the first one first."""
    first = SleepSpan(
        days_of_week=schedule.days_of_week,
        start_time=schedule.start_time,
        end_time=schedule.end_time,
    )
    return [_words(span) for span in (first, *(schedule.more_spans or ()))]


def conditions_in_words(schedule: WorkerSleepSchedule) -> str:
    """Return where, when not and how, to be put behind the spans; empty if nothing is said."""
    zone = f" ({schedule.time_zone})" if schedule.time_zone else ""
    off = f", not on {', '.join(schedule.exceptions)}" if schedule.exceptions else ""
    lazy = ", after its task" if schedule.finish_task else ""
    return f"{zone}{off}{lazy}"


def _words(span: SleepSpan) -> str:
    times = f"{span.start_time or '00:00'}-{span.end_time or '24:00'}"
    return f"{span.days_of_week or 'every day'} {times}"
