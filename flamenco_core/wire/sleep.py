"""Bodies of the ``worker-mgt`` operations on sleep schedules."""

from __future__ import annotations

import attrs

__all__ = ["SleepSpan", "WorkerSleepSchedule"]


@attrs.frozen(kw_only=True)
class SleepSpan:
    """A part of the day; days as in ``mo tu``, empty for all, times as HH:MM or empty."""

    days_of_week: str = ""
    start_time: str = ""
    end_time: str = ""


@attrs.frozen(kw_only=True)
class WorkerSleepSchedule:
    """When a worker sleeps. The optional keys are ours; one that is left out stays.

    ``exceptions`` are dates on which no sleep begins. ``time_zone`` is an IANA name, empty
    for the Manager's. With ``finish_task`` a worker sleeps after its task. ``status`` (what
    the schedule wants now), ``next_change`` and ``tag`` (the name of the tag whose schedule
    the worker follows, having none of its own) are for reading only.
    """

    is_active: bool
    days_of_week: str
    start_time: str
    end_time: str
    more_spans: list[SleepSpan] | None = None
    exceptions: list[str] | None = None
    time_zone: str | None = None
    finish_task: bool | None = None
    status: str | None = None
    next_change: str | None = None
    tag: str | None = None
