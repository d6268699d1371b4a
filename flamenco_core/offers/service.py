"""Work that goes on as long as the host does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

__all__ = ["Service"]


@attrs.frozen(kw_only=True)
class Service:
    """A coroutine function that runs until it is cancelled.

    The supervisor starts it after the host is ready, restarts it with growing pauses
    when it raises, and cancels it at the end. With ``every`` (seconds) the function does
    one round and is called again after that time.

    With ``once_per_farm`` only one Manager of several on one database runs it at a time;
    when that one dies, another starts it within seconds; within half a minute, when it is
    frozen. What it does should bear to be begun twice: the one before may have got halfway.
    From then on all that it asks of the database raises `DutyLost`.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    every: float | None = None
    once_per_farm: bool = False
