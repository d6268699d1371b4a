"""Ages of days and weeks, which Go's notation for durations does not have."""

from __future__ import annotations

import re

from flamenco_core.config.duration import Duration

__all__ = ["age_text", "parse_age"]

_DAYS = re.compile(r"(\d{1,6})\s*([dw])", re.ASCII)


def parse_age(text: str) -> int:
    """Read ``30d``, ``2w`` or a duration such as ``12h``; return whole seconds.

    Raises `ValueError`.
    """
    if match := _DAYS.fullmatch(text.strip()):
        return int(match[1]) * (7 if match[2] == "w" else 1) * 86_400
    try:
        found = Duration.parse(text)
    except ValueError:
        found = Duration(-1)
    if found.nanoseconds < 0:
        raise ValueError(f"not an age such as 30d, 2w or 12h: {text!r}")
    return int(found.seconds)


def age_text(seconds: int) -> str:
    """Write an age so that `parse_age` reads the same."""
    days, rest = divmod(seconds, 86_400)
    return str(Duration.of(seconds)) if rest or not days else f"{days}d"
