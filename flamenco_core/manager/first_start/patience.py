"""Ask the disk for something that may never come, such as a file on a dead network share."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from flamenco_core.errors import Busy

__all__ = ["within"]

T = TypeVar("T")

MOST = 8
"""Calls at one time; those that hang count until they come back."""
_places = threading.BoundedSemaphore(MOST)


async def within(seconds: float, fn: Callable[..., T], /, *args: Any) -> T:
    """Call *fn* beside the event loop; raises `TimeoutError` after *seconds*.

    The call itself cannot be ended. It gets a thread of its own, which does not keep the
    process from ending, instead of one of a pool that everybody needs. Raises `Busy` while
    too many calls hang.
    """
    places = _places
    if not places.acquire(blocking=False):
        raise Busy("too many checks wait for a disk that does not answer; try again later")
    loop, result = asyncio.get_running_loop(), asyncio.Future[T]()

    def call() -> None:
        try:
            value, error = fn(*args), None
        # The border to the thread: whatever happened is raised where the call was made.
        except Exception as caught:
            value, error = None, caught
        finally:
            places.release()
        # The loop may have ended meanwhile; nobody waits any more then.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_give, result, value, error)

    threading.Thread(target=call, name="patience", daemon=True).start()
    async with asyncio.timeout(seconds):
        return await result


def _give(result: asyncio.Future[Any], value: Any, error: Exception | None) -> None:
    if result.done():
        return
    if error is None:
        result.set_result(value)
    else:
        result.set_exception(error)
