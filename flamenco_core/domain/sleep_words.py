"""Days, times and dates of sleep schedules as texts: ``mo tu``, ``09:00``, ``2026-12-24``.

An empty text is every day, the start of the day, or its end. Whatever is wrong raises
`ValueError` that says what is possible.
"""

from __future__ import annotations

import re
from datetime import date, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flamenco_core.domain.sleep import DAY, DAYS, Span

__all__ = ["date_from", "span_from", "tidy", "zone_named"]

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def span_from(days: str, start: str, end: str) -> Span:
    """Read a span; days as in ``mo tu``, in full, or empty for all."""
    span = Span(_minutes(start, 0, "start"), _minutes(end, DAY, "end"), _days(days))
    if span.start in (span.end, DAY):
        raise ValueError(
            f"invalid format for schedule end time: a span from {start or '00:00'} to"
            f" {end or '24:00'} has no length; leave both times empty for the whole day"
        )
    return span


def tidy(days: str, start: str, end: str) -> tuple[str, str, str]:
    """Return days, start and end in their one form: ``mo tu``, ``09:00`` or empty."""
    span = span_from(days, start, end)
    return (
        " ".join(DAYS[day] for day in sorted(span.days)),
        _clock(span.start) if start.strip() else "",
        _clock(span.end) if span.end < DAY else "",
    )


def date_from(text: str) -> date:
    """Read a day, such as ``2026-12-24``."""
    try:
        return date.fromisoformat(_DATE.fullmatch(text.strip())[0])  # type: ignore[index]
    except (ValueError, TypeError):
        raise ValueError(f"{text!r:.40} is no date; write it as 2026-12-24") from None


def zone_named(name: str) -> tzinfo | None:
    """Return a time zone by its IANA name; `None`, this machine's, for an empty one."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name!r:.60} is no time zone; write it as Europe/Amsterdam or UTC"
        ) from None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _minutes(text: str, default: int, which: str) -> int:
    if not text.strip():
        return default
    match = _TIME.fullmatch(text.strip())
    minutes = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else DAY + 1
    if minutes > DAY:
        raise ValueError(
            f"invalid format for schedule {which} time: {text!r:.40} is no time of the day;"
            " write it as HH:MM, such as 09:30, or leave it empty"
        )
    return minutes


def _days(text: str) -> frozenset[int]:
    return frozenset(map(_day, text.lower().replace(",", " ").split()))


def _day(word: str) -> int:
    for number, name in enumerate(_NAMES):
        if len(word) >= 2 and name.startswith(word):
            return number
    raise ValueError(f"{word!r:.40} is no day of the week; possible are: {' '.join(DAYS)}")
