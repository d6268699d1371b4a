"""A queue of events that one slow listener cannot make grow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import attrs

from flamenco_core.domain.events import Event, TaskLogged

__all__ = ["BEHIND", "BEHIND_TEXT", "Numbered", "Subscription", "text_of"]

BEHIND = 1_000
"""A client or plugin with more unread events than this has missed some ..."""
BEHIND_TEXT = 8 * 1024 * 1024
"""... or with more text of logs (characters); all that listen have the same in memory."""


@attrs.frozen
class Numbered:
    """An event and its number; `None` in place of an event means: some were missed."""

    number: int
    event: Event | None
    text: int = 0
    """How much text it brings along."""


def text_of(event: Event | None) -> int:
    """Return how much text of a log an event brings along (characters)."""
    return len(event.text) if isinstance(event, TaskLogged) else 0


class Subscription:
    """One listener's queue of events; iterate over it."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Numbered | None] = asyncio.Queue(BEHIND)
        self._text = 0
        self._closed = False

    def put(self, numbered: Numbered) -> bool:
        """Add an event; False if there are too many: it only remembers that some were missed."""
        if self._closed:
            return True
        fits = not self._queue.full() and self._text + numbered.text <= BEHIND_TEXT
        if not fits:
            while not self._queue.empty():
                self._queue.get_nowait()
            self._text, numbered = 0, Numbered(numbered.number, None)
        self._text += numbered.text
        self._queue.put_nowait(numbered)
        return fits

    def close(self) -> None:
        """End the iteration, after what is in the queue if that fits."""
        if not self._closed:
            self._closed = True
            if self._queue.full():
                self._queue.get_nowait()
            self._queue.put_nowait(None)

    async def next(self, timeout: float) -> Numbered | None:
        """Return the next event, `None` at the end; raises `TimeoutError` after *timeout* s."""
        async with asyncio.timeout(timeout):
            return await self._take()

    async def __aiter__(self) -> AsyncIterator[Numbered]:
        while (numbered := await self._take()) is not None:
            yield numbered

    async def _take(self) -> Numbered | None:
        numbered = await self._queue.get()
        self._text -= numbered.text if numbered else 0
        return numbered
