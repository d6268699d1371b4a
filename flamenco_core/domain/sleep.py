"""When a worker sleeps: spans of the day, in a time zone, with days off.

A span belongs to the day on which it begins: one from 22:00 to 06:00 on Fridays ends on
Saturday morning, and a day off takes away what begins on that day. Spans that touch are
one sleep, so a worker that was woken by hand in between stays awake.

Where clocks are turned, the wall clock counts. A time that is left out stands for the
moment at which the clock goes on. Of a time that comes twice, a span begins at the first
and ends at the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

import attrs

from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.workers import Request

__all__ = ["DAY", "DAYS", "FAR_DAYS", "Schedule", "Sleep", "Span", "request_by", "sleep_at"]

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
DAY = 24 * 60
"""Minutes."""
FAR_DAYS = 370
"""So many days are looked ahead for a change."""
_EPOCH = datetime.fromtimestamp(0, UTC)
_MINUTE = timedelta(minutes=1)


@attrs.frozen
class Span:
    """A part of the day: minutes from *start* up to *end*, on the days on which it begins.

    An end that is not after the start is on the next day. Days are 0 (Monday) to 6; none
    means all. Without times it is the whole day.
    """

    start: int = 0
    end: int = DAY
    days: frozenset[int] = frozenset()

    def begins_on(self, day: date) -> bool:
        """Whether it begins on a day of that name."""
        return not self.days or day.weekday() in self.days


@attrs.frozen(kw_only=True)
class Schedule:
    """A worker's sleep: when, except on which days, and how it is sent to sleep."""

    is_active: bool
    spans: tuple[Span, ...] = (Span(),)
    days_off: frozenset[date] = frozenset()
    is_lazy: bool = False
    """Whether the worker may finish its task before it sleeps."""


@attrs.frozen
class Sleep:
    """What a schedule says for a moment: asleep or not, and when to look again.

    ``until`` (microseconds, UTC) is when that changes, at the latest in about a year.
    """

    is_asleep: bool
    until: int

    @property
    def wanted(self) -> WorkerStatus:
        """What the worker is to be."""
        return WorkerStatus.ASLEEP if self.is_asleep else WorkerStatus.AWAKE


def sleep_at(schedule: Schedule, moment: int, zone: tzinfo | None) -> Sleep:
    """Say whether a worker sleeps at a moment (microseconds, UTC), and until when.

    *zone* is that of the schedule's days and times; `None` is this machine's.
    """
    far = moment + FAR_DAYS * DAY * 60_000_000
    asleep_until = None
    for begin, end in _sleeps(schedule, moment, zone):
        if end <= moment or begin >= far:
            continue
        if begin > (moment if asleep_until is None else asleep_until):
            return Sleep(asleep_until is not None, begin if asleep_until is None else asleep_until)
        asleep_until = max(asleep_until or 0, end)
    return Sleep(asleep_until is not None, min(far, asleep_until or far))


def _sleeps(schedule: Schedule, moment: int, zone: tzinfo | None) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each sleep from the day before *moment* on, in order."""
    if not schedule.is_active:
        return
    now = _EPOCH + timedelta(microseconds=moment)
    first = now.astimezone(zone).date() - timedelta(days=1)
    spans = sorted(schedule.spans, key=lambda span: span.start)
    for number in range(FAR_DAYS + 2):
        day = first + timedelta(days=number)
        if day in schedule.days_off:
            continue
        for span in spans:
            if span.begins_on(day):
                begin, end = _moments(span, day, zone)
                if begin < end:
                    yield begin, end


def _moments(span: Span, day: date, zone: tzinfo | None) -> tuple[int, int]:
    midnight = datetime.combine(day, datetime.min.time())
    end = span.end if span.end > span.start else span.end + DAY
    return (
        _moment(midnight + span.start * _MINUTE, zone, fold=0),
        _moment(midnight + end * _MINUTE, zone, fold=1),
    )


def _moment(wall: datetime, zone: tzinfo | None, fold: int) -> int:
    """Return the moment at which a clock shows *wall*, or goes on after leaving it out."""
    while True:
        utc = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if utc.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
            return (utc - _EPOCH) // timedelta(microseconds=1)
        wall += _MINUTE


_GOES = frozenset({WorkerStatus.OFFLINE, WorkerStatus.RESTART})


def request_by(
    sleep: Sleep, schedule: Schedule, was: WorkerStatus, pending: Request | None
) -> Request | None:
    """Return what is asked of a worker once its schedule has spoken.

    What somebody asked before is over, except that it stops or restarts; to send it to
    sleep at once, that must not wait for its task any longer.
    """
    is_lazy = sleep.is_asleep and schedule.is_lazy
    if pending and pending.status in _GOES:
        return Request(pending.status, pending.is_lazy and (is_lazy or not sleep.is_asleep))
    return None if was is sleep.wanted else Request(sleep.wanted, is_lazy)
