from __future__ import annotations

import pytest

from flamenco_core.config.age import parse_age


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 2_592_000), (" 2w ", 1_209_600), ("12h", 43_200), ("1h30m", 5_400), ("0", 0)],
)
def test_days_weeks_and_durations_are_read(text: str, seconds: int) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-3d", "-1h", "1.5d", "soon", "9999999d"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 30d, 2w or 12h"):
        parse_age(text)
