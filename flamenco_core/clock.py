"""Where time and ids come from; the only module that asks the machine for them."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "NewId", "SystemClock", "from_rfc3339", "new_id", "rfc3339"]


class Clock(Protocol):
    """Time, as the hosts see it; tests bring their own."""

    def monotonic(self) -> float:
        """Return seconds that only grow; for deadlines and leases."""

    def now(self) -> int:
        """Return the wall clock: microseconds since 1970, UTC; for people."""

    async def sleep(self, seconds: float) -> None:
        """Wait until `monotonic` has grown by *seconds*."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic()

    def now(self) -> int:
        """Return microseconds since 1970, UTC."""
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        """Wait *seconds*."""
        # Not at the top: a command line that only asks for a new id need not load it.
        import anyio

        await anyio.sleep(seconds)


class NewId(Protocol):
    """A source of new ids."""

    def __call__(self) -> str:
        """Return a new random UUID in its 36-character form."""


def new_id() -> str:
    """Return a new random UUID in its 36-character form."""
    return str(uuid.uuid4())


def rfc3339(microseconds: int) -> str:
    """Write a time as RFC 3339 in UTC: ``2026-04-01T10:00:00.120000Z``."""
    stamp = datetime.fromtimestamp(microseconds / 1_000_000, UTC)
    return stamp.isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> int:
    """Read a time with its zone as microseconds since 1970; raises `ValueError`."""
    stamp = datetime.fromisoformat(text)
    if stamp.tzinfo is None:
        raise ValueError(f"{text!r} does not say in which time zone it is")
    return (stamp - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
