from __future__ import annotations

from datetime import date

import pytest

from flamenco_core.domain.sleep import DAY, Span
from flamenco_core.domain.sleep_words import date_from, span_from, tidy, zone_named


@pytest.mark.parametrize(
    ("texts", "span", "one_form"),
    [
        (("", "", ""), Span(), ("", "", "")),
        (("mo tu", "09:00", "18:30"), Span(540, 1110, frozenset({0, 1})), None),
        (("Sunday MO", "9:05", "24:00"), Span(545, DAY, frozenset({0, 6})), ("mo su", "09:05", "")),
        (
            (" tue,wednesd\tTU ", "", "6:00"),
            Span(0, 360, frozenset({1, 2})),
            ("tu we", "", "06:00"),
        ),
        (("", "22:00", "00:00"), Span(1320, 0), None),
        (("", "00:00", "06:00"), Span(0, 360), None),
        (("", "22:00", "06:00"), Span(1320, 360), None),
    ],
)
def test_what_people_write_is_read_and_has_one_form(
    texts: tuple[str, str, str], span: Span, one_form: tuple[str, str, str] | None
) -> None:
    assert span_from(*texts) == span
    tidied = tidy(*texts)
    assert tidied == (one_form or texts)
    assert tidy(*tidied) == tidied
    assert span_from(*tidied) == span


@pytest.mark.parametrize("which", ["start", "end"])
@pytest.mark.parametrize("text", ["9", "09.00", "25:00", "24:01", "12:60", "-1:00", "1:2:3", "x:y"])
def test_a_bad_time_is_named_with_its_cure(text: str, which: str) -> None:
    times = {"start": "09:00", "end": "18:00"} | {which: text}
    words = f"invalid format for schedule {which} time: '{text}' .* write it as HH:MM"
    with pytest.raises(ValueError, match=words):
        span_from("", **times)


@pytest.mark.parametrize("text", ["m", "t", "x", "mondays", "montag", "1", "mo;tu"])
def test_a_word_that_is_no_day_is_named_with_those_that_are(text: str) -> None:
    with pytest.raises(ValueError, match="is no day of the week; possible are: mo tu we th fr"):
        span_from(f"su {text}", "", "")


@pytest.mark.parametrize("times", [("09:00", "09:00"), ("00:00", "00:00"), ("", "00:00")])
def test_a_span_without_length_says_how_to_write_the_whole_day(times: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="has no length; leave both times empty"):
        span_from("", *times)


def test_a_span_cannot_begin_when_the_day_is_over() -> None:
    with pytest.raises(ValueError, match="invalid format"):
        span_from("", "24:00", "06:00")


def test_dates_are_iso_dates() -> None:
    assert date_from(" 2026-12-24 ") == date(2026, 12, 24)
    for text in ("", "2026-13-01", "24.12.2026", "20261224", "2026-W52-4", "2026-12-24T00:00"):
        with pytest.raises(ValueError, match="is no date; write it as 2026-12-24"):
            date_from(text)


def test_time_zones_have_iana_names() -> None:
    assert zone_named("") is None
    assert str(zone_named("Europe/Amsterdam")) == "Europe/Amsterdam"
    for name in ("CET/Nowhere", "../../etc/passwd", "Europe", "\0", "x" * 300):
        with pytest.raises(ValueError, match="is no time zone; write it as Europe/Amsterdam"):
            zone_named(name)
