from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.config import Duration


@pytest.mark.parametrize(
    ("text", "seconds", "written"),
    [
        ("0", 0, "0s"),
        ("0s", 0, "0s"),
        ("10m", 600, "10m0s"),
        ("10m0s", 600, "10m0s"),
        ("1h30m", 5400, "1h30m0s"),
        ("744h", 2_678_400, "744h0m0s"),
        ("500ms", 0.5, "500ms"),
        ("1.5s", 1.5, "1.5s"),
        (".5m", 30, "30s"),
        ("1.h", 3600, "1h0m0s"),
        ("1500us", 0.0015, "1.5ms"),
        ("1µs", 1e-6, "1µs"),
        ("1μs", 1e-6, "1µs"),
        ("7ns", 7e-9, "7ns"),
        ("-1m30s", -90, "-1m30s"),
        ("+3s", 3, "3s"),
        (" 3s ", 3, "3s"),
        ("1m1m", 120, "2m0s"),
    ],
)
def test_go_durations_are_read_and_written(text: str, seconds: float, written: str) -> None:
    duration = Duration.parse(text)
    assert duration.seconds == seconds
    assert str(duration) == written


@pytest.mark.parametrize(
    "text", ["", "10", "ten", "1d", "1 h", "h", "-", "1h30", "1e3s", ".s", "٣s"]
)
def test_other_notations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration such as 90s"):
        Duration.parse(text)


def test_what_go_cannot_count_is_refused() -> None:
    with pytest.raises(ValueError, match="292 years"):
        Duration.parse("2562048h")


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_what_is_written_is_read_back(nanoseconds: int) -> None:
    assert Duration.parse(str(Duration(nanoseconds))) == Duration(nanoseconds)


def test_durations_compare_and_nothing_is_false() -> None:
    assert Duration.of(1.5) < Duration.parse("2s")
    assert not Duration()
    assert Duration.of(0.1)
