"""Lengths of time as Go writes them: ``1h30m``, ``10m0s``, ``500ms``."""

from __future__ import annotations

import re
from decimal import Decimal

import attrs

__all__ = ["Duration"]

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # the micro sign
    "μs": 1_000,  # the Greek letter, which Go reads as well
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
# Go counts nanoseconds in 64 bits.
_LONGEST = 2**63 - 1


@attrs.frozen(order=True)
class Duration:
    """A length of time in nanoseconds."""

    nanoseconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read Go's notation; raises `ValueError` for anything else."""
        body = text.strip()
        sign = -1 if body.startswith("-") else 1
        body = body[1:] if body[:1] in ("-", "+") else body
        if body == "0":
            return cls(0)
        parts = list(_PART.finditer(body))
        if not parts or "".join(part[0] for part in parts) != body:
            raise ValueError(f"not a duration such as 90s, 10m or 1h30m: {text!r}")
        total = int(sum(Decimal(part[1]) * _UNITS[part[2]] for part in parts))
        if total > _LONGEST:
            raise ValueError(f"longer than 292 years: {text!r}")
        return cls(sign * total)

    @classmethod
    def of(cls, seconds: float) -> Duration:
        """Make one from seconds."""
        return cls(round(seconds * 1_000_000_000))

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self.nanoseconds / 1_000_000_000

    def __bool__(self) -> bool:
        return self.nanoseconds != 0

    def __str__(self) -> str:
        sign, rest = "-" if self.nanoseconds < 0 else "", abs(self.nanoseconds)
        for unit in ("ns", "µs", "ms"):
            size = _UNITS[unit]
            if 0 < rest < size * 1000:
                return f"{sign}{_decimal(rest, size)}{unit}"
        minutes, seconds = divmod(rest, _UNITS["m"])
        hours, minutes = divmod(minutes, 60)
        text = f"{_decimal(seconds, _UNITS['s'])}s"
        if hours or minutes:
            text = f"{minutes}m{text}"
        return sign + (f"{hours}h{text}" if hours else text)


def _decimal(count: int, size: int) -> str:
    return format(Decimal(count) / size, "f")
