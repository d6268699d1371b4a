"""Asleep at this moment, and until when: over midnight, over turned clocks, on days off."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.domain.sleep import DAY, FAR_DAYS, Schedule, Sleep, Span, request_by, sleep_at
from flamenco_core.domain.sleep_words import span_from
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.workers import Request

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
AWAKE, ASLEEP = WorkerStatus.AWAKE, WorkerStatus.ASLEEP
OFFICE = ("", "09:00", "18:00")
NIGHT = ("", "22:00", "06:00")
MINUTE = 60_000_000
ZONES = [
    ZoneInfo(name)
    for name in (
        *("UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"),
        *("America/Santiago", "Africa/Casablanca", "Asia/Beirut", "Pacific/Apia"),
    )
]


def at(wall: str, zone: ZoneInfo = AMSTERDAM, fold: int = 0) -> int:
    moment = datetime.fromisoformat(wall).replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return int(moment.timestamp()) * 1_000_000


def sleep(
    *spans: tuple[str, str, str],
    now: str,
    days_off: tuple[str, ...] = (),
    zone: ZoneInfo = AMSTERDAM,
    **rest: int,
) -> tuple[bool, str]:
    schedule = Schedule(
        is_active=True,
        spans=tuple(span_from(*texts) for texts in spans),
        days_off=frozenset(map(date.fromisoformat, days_off)),
    )
    found = sleep_at(schedule, at(now, zone, **rest), zone)
    until = datetime.fromtimestamp(found.until // 1_000_000, UTC).astimezone(zone)
    return found.is_asleep, until.strftime("%a %d %H:%M%z")


# -- a day and a night; 2026-11-23 is a Monday -----------------------------------------------


@pytest.mark.parametrize(
    ("now", "asleep", "until"),
    [
        ("2026-11-23T08:59:59", False, "Mon 23 09:00+0100"),
        ("2026-11-23T09:00", True, "Mon 23 18:00+0100"),
        ("2026-11-23T12:00", True, "Mon 23 18:00+0100"),
        ("2026-11-23T17:59:59", True, "Mon 23 18:00+0100"),
        ("2026-11-23T18:00", False, "Tue 24 09:00+0100"),
    ],
)
def test_a_span_begins_at_its_start_and_is_over_at_its_end(
    now: str, asleep: bool, until: str
) -> None:
    assert sleep(OFFICE, now=now) == (asleep, until)


@pytest.mark.parametrize(
    ("now", "asleep", "until"),
    [
        ("2026-11-23T21:59", False, "Mon 23 22:00+0100"),
        ("2026-11-23T22:00", True, "Tue 24 06:00+0100"),
        ("2026-11-24T00:00", True, "Tue 24 06:00+0100"),
        ("2026-11-24T05:59", True, "Tue 24 06:00+0100"),
        ("2026-11-24T06:00", False, "Tue 24 22:00+0100"),
    ],
)
def test_a_span_over_midnight_ends_the_next_day(now: str, asleep: bool, until: str) -> None:
    assert sleep(NIGHT, now=now) == (asleep, until)


@pytest.mark.parametrize(
    ("span", "now", "asleep", "until"),
    [
        # Friday's night belongs to Friday, also when it is Saturday; Thursday's does not.
        (("fr", "22:00", "06:00"), "2026-11-28T03:00", True, "Sat 28 06:00+0100"),
        (("fr", "22:00", "06:00"), "2026-11-27T03:00", False, "Fri 27 22:00+0100"),
        (("fr", "22:00", "06:00"), "2026-11-28T07:00", False, "Fri 04 22:00+0100"),
        (("su", "22:00", "06:00"), "2026-11-30T03:00", True, "Mon 30 06:00+0100"),
        (("mo tu", "09:00", "18:00"), "2026-11-24T18:00", False, "Mon 30 09:00+0100"),
        # From midnight, until midnight, and the whole day.
        (("", "", "06:00"), "2026-11-24T00:00", True, "Tue 24 06:00+0100"),
        (("", "22:00", ""), "2026-11-23T23:59", True, "Tue 24 00:00+0100"),
        (("", "22:00", "00:00"), "2026-11-23T23:59", True, "Tue 24 00:00+0100"),
        (("sa su", "", ""), "2026-11-28T12:00", True, "Mon 30 00:00+0100"),
        (("mo", "", ""), "2026-11-24T00:00", False, "Mon 30 00:00+0100"),
    ],
)
def test_days_are_those_on_which_a_span_begins(
    span: tuple[str, str, str], now: str, asleep: bool, until: str
) -> None:
    assert sleep(span, now=now) == (asleep, until)


def test_several_spans_a_day() -> None:
    spans = (OFFICE, ("", "22:00", "06:00"), ("sa", "07:00", "08:00"))
    assert sleep(*spans, now="2026-11-23T07:30") == (False, "Mon 23 09:00+0100")
    assert sleep(*spans, now="2026-11-23T20:00") == (False, "Mon 23 22:00+0100")
    assert sleep(*spans, now="2026-11-28T07:30") == (True, "Sat 28 08:00+0100")


def test_spans_that_touch_or_overlap_are_one_sleep() -> None:
    touching = (("", "20:00", ""), ("", "", "06:00"), ("", "05:00", "07:00"))
    assert sleep(*touching, now="2026-11-23T21:00") == (True, "Tue 24 07:00+0100")
    assert sleep(("", "08:00", "20:00"), OFFICE, now="2026-11-23T10:00")[1].startswith("Mon 23 20")


def test_nobody_sleeps_by_a_schedule_that_is_switched_off_or_has_no_spans() -> None:
    for schedule in (Schedule(is_active=False), Schedule(is_active=True, spans=())):
        found = sleep_at(schedule, at("2026-11-23T10:00"), AMSTERDAM)
        assert found == Sleep(False, at("2026-11-23T10:00") + FAR_DAYS * DAY * MINUTE)


def test_who_always_sleeps_is_looked_at_again_after_a_year() -> None:
    now = at("2026-11-23T10:00")
    found = sleep_at(Schedule(is_active=True), now, AMSTERDAM)
    assert found == Sleep(True, now + FAR_DAYS * DAY * MINUTE)


# -- days off --------------------------------------------------------------------------------


def test_on_a_day_off_no_sleep_begins() -> None:
    off = ("2026-12-24", "2026-12-25")
    assert sleep(OFFICE, now="2026-12-24T10:00", days_off=off) == (False, "Sat 26 09:00+0100")
    # The night before goes on to its end; the one of the day itself falls away.
    assert sleep(NIGHT, now="2026-12-24T03:00", days_off=off) == (True, "Thu 24 06:00+0100")
    assert sleep(NIGHT, now="2026-12-26T03:00", days_off=off) == (False, "Sat 26 22:00+0100")


def test_a_day_off_interrupts_who_always_sleeps() -> None:
    found = sleep(("", "", ""), now="2026-12-20T10:00", days_off=("2026-12-25",))
    assert found == (True, "Fri 25 00:00+0100")
    found = sleep(("", "", ""), now="2026-12-25T10:00", days_off=("2026-12-25",))
    assert found == (False, "Sat 26 00:00+0100")


def test_a_month_of_days_off_is_seen_to_its_end() -> None:
    july = tuple(f"2026-07-{day:02}" for day in range(1, 32))
    assert sleep(OFFICE, now="2026-06-30T18:00", days_off=july) == (False, "Sat 01 09:00+0200")


# -- clocks that are turned; Amsterdam: 2026-03-29 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00 ---


def test_a_night_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    assert sleep(NIGHT, now="2026-03-28T23:00") == (True, "Sun 29 06:00+0200")
    assert sleep(NIGHT, now="2026-10-24T23:00") == (True, "Sun 25 06:00+0100")
    assert at("2026-03-29T06:00") - at("2026-03-28T22:00") == 7 * 60 * MINUTE
    assert at("2026-10-25T06:00") - at("2026-10-24T22:00") == 9 * 60 * MINUTE


def test_a_time_that_is_left_out_is_the_moment_the_clock_goes_on() -> None:
    span = ("", "02:30", "03:15")
    assert sleep(span, now="2026-03-29T01:59") == (False, "Sun 29 03:00+0200")
    assert sleep(span, now="2026-03-29T03:00") == (True, "Sun 29 03:15+0200")
    assert sleep(("", "01:00", "02:30"), now="2026-03-29T01:59") == (True, "Sun 29 03:00+0200")


def test_a_span_that_is_left_out_altogether_does_not_begin() -> None:
    assert sleep(("", "02:10", "02:50"), now="2026-03-29T01:59") == (False, "Mon 30 02:10+0200")


def test_of_a_time_that_comes_twice_the_longer_sleep_is_meant() -> None:
    span = ("", "02:15", "02:45")
    assert sleep(span, now="2026-10-25T02:14") == (False, "Sun 25 02:15+0200")
    assert sleep(span, now="2026-10-25T02:15") == (True, "Sun 25 02:45+0100")
    assert sleep(span, now="2026-10-25T02:50") == (True, "Sun 25 02:45+0100")
    assert sleep(span, now="2026-10-25T02:50", fold=1) == (False, "Mon 26 02:15+0100")


def test_where_midnight_itself_is_left_out_the_day_begins_later() -> None:
    # In Santiago the 6th of September 2026 begins at 01:00.
    santiago = ZoneInfo("America/Santiago")
    found = sleep(("su", "", "06:00"), now="2026-09-05T23:59", zone=santiago)
    assert found == (False, "Sun 06 01:00-0300")


def test_without_a_zone_the_times_are_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        new_york = ZoneInfo("America/New_York")
        schedule = Schedule(is_active=True, spans=(span_from(*NIGHT), span_from("su", "02:30", "")))
        for now in ("2026-03-07T23:00", "2026-03-08T12:00", "2026-10-31T23:00", "2026-07-01T12:00"):
            moment = at(now, new_york)
            assert sleep_at(schedule, moment, None) == sleep_at(schedule, moment, new_york)
    finally:
        monkeypatch.undo()
        time.tzset()


# -- whatever the schedule -------------------------------------------------------------------

minutes = st.integers(0, DAY - 1)
spans = st.builds(
    Span,
    minutes,
    st.integers(1, DAY),
    st.frozensets(st.integers(0, 6), max_size=6),
).filter(lambda span: span.start != span.end)
days_off = st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=5)
schedules = st.builds(
    lambda spans, days_off: Schedule(is_active=True, spans=tuple(spans), days_off=days_off),
    st.lists(spans, min_size=1, max_size=4),
    days_off,
)
YEAR = (at("2026-01-01T00:00"), at("2026-12-31T00:00"))
moments = st.integers(*YEAR)


def is_asleep_by_minutes(schedule: Schedule, moment: int) -> bool:
    """Say the same for UTC, span by span in minutes since a Monday."""
    now = datetime.fromtimestamp(moment / 1_000_000, UTC)
    for back in (0, 1):
        day = now.date() - timedelta(days=back)
        minute = (now.hour * 60 + now.minute) + back * DAY
        for span in schedule.spans:
            end = span.end + (DAY if span.end <= span.start else 0)
            named = not span.days or day.weekday() in span.days
            if named and day not in schedule.days_off and span.start <= minute < end:
                return True
    return False


@given(schedules, moments)
def test_it_is_what_the_spans_say(schedule: Schedule, moment: int) -> None:
    assert sleep_at(schedule, moment, UTC).is_asleep is is_asleep_by_minutes(schedule, moment)


@given(schedules, moments, st.sampled_from(ZONES), st.data())
def test_until_then_nothing_changes_and_then_it_does(
    schedule: Schedule, moment: int, zone: ZoneInfo, data: st.DataObject
) -> None:
    found = sleep_at(schedule, moment, zone)
    assert found.until > moment
    between = data.draw(st.integers(moment, found.until - 1))
    far = moment + FAR_DAYS * DAY * MINUTE
    assert sleep_at(schedule, between, zone).is_asleep is found.is_asleep
    if found.until < far:
        assert sleep_at(schedule, between, zone) == found
        assert sleep_at(schedule, found.until, zone).is_asleep is not found.is_asleep


@given(schedules, moments, st.sampled_from(ZONES))
def test_asking_the_far_side_of_the_world_makes_no_difference_to_who_is_switched_off(
    schedule: Schedule, moment: int, zone: ZoneInfo
) -> None:
    off = Schedule(is_active=False, spans=schedule.spans)
    assert not sleep_at(off, moment, zone).is_asleep


# -- what is asked of the worker -------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_asleep", "is_lazy", "was", "pending", "asked"),
    [
        (True, False, AWAKE, None, Request(ASLEEP)),
        (True, True, AWAKE, None, Request(ASLEEP, is_lazy=True)),
        (True, True, AWAKE, Request(ASLEEP), Request(ASLEEP, is_lazy=True)),
        (True, False, AWAKE, Request(ASLEEP, is_lazy=True), Request(ASLEEP)),
        (True, False, AWAKE, Request(AWAKE), Request(ASLEEP)),
        (True, False, ASLEEP, None, None),
        (True, False, ASLEEP, Request(AWAKE), None),
        (False, False, ASLEEP, None, Request(AWAKE)),
        (False, True, ASLEEP, None, Request(AWAKE)),
        (False, False, AWAKE, Request(ASLEEP, is_lazy=True), None),
        (False, False, AWAKE, None, None),
        (True, False, WorkerStatus.STARTING, None, Request(ASLEEP)),
        # Who shuts down or restarts does so; to sleep at once it may not finish its task.
        (True, False, AWAKE, Request(WorkerStatus.OFFLINE, True), Request(WorkerStatus.OFFLINE)),
        (
            *(True, True, AWAKE),
            *(Request(WorkerStatus.RESTART, True), Request(WorkerStatus.RESTART, True)),
        ),
        (
            *(False, False, AWAKE),
            *(Request(WorkerStatus.OFFLINE, True), Request(WorkerStatus.OFFLINE, True)),
        ),
        (False, False, ASLEEP, Request(WorkerStatus.RESTART), Request(WorkerStatus.RESTART)),
    ],
)
def test_what_a_schedule_asks_takes_the_place_of_what_was_asked_before(
    is_asleep: bool, is_lazy: bool, was: WorkerStatus, pending: Request | None, asked: Request
) -> None:
    schedule = Schedule(is_active=True, is_lazy=is_lazy)
    assert request_by(Sleep(is_asleep, 0), schedule, was, pending) == asked
