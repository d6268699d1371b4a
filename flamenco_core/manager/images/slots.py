"""Images that wait to be looked at: the newest of each job, the jobs in turn.

A job that sends a thousand images a second holds one place, like all others: its newer
image takes the place of the older one, and its turn comes after everybody else's.
"""

from __future__ import annotations

import asyncio
from collections import deque

import attrs

__all__ = ["MOST_BYTES", "Slots", "Upload"]

MOST_BYTES = 128 * 1024 * 1024
"""Of all waiting images together, as they were sent."""


@attrs.frozen(kw_only=True)
class Upload:
    """An image of a running task, as its worker has sent it."""

    job: str
    task: str
    kind: str
    image: bytes = attrs.field(repr=False)


class Slots:
    """One place for each job; belongs to one event loop."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._waiting: dict[str, Upload] = {}
        self._turns: deque[str] = deque()
        self._taken: set[str] = set()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.dropped = 0
        """How many images gave their place to a newer one."""
        self.refused = 0
        """How many images found no room."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, upload: Upload) -> bool:
        """Let an image wait, in place of an older one of its job; say if there was room."""
        older = self._waiting.get(upload.job)
        more = len(upload.image) - (len(older.image) if older else 0)
        if more > 0 and self._bytes + more > self._most:
            self.refused += 1
            return False
        self._bytes += more
        self._waiting[upload.job] = upload
        self._idle.clear()
        if older is not None:
            self.dropped += 1
        elif upload.job not in self._taken:
            self._line_up(upload.job)
        return True

    async def take(self) -> Upload:
        """Wait for an image of the job whose turn it is.

        Until `done` no other image of that job is given out: they would overtake each other.
        """
        while not self._turns:
            self._news.clear()
            await self._news.wait()
        job = self._turns.popleft()
        upload = self._waiting.pop(job)
        self._bytes -= len(upload.image)
        self._taken.add(job)
        return upload

    def done(self, job: str) -> None:
        """Let the next image of a job line up."""
        self._taken.discard(job)
        if job in self._waiting:
            self._line_up(job)
        elif not self._waiting and not self._taken:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no image waits and none is out."""
        await self._idle.wait()

    def _line_up(self, job: str) -> None:
        self._turns.append(job)
        self._news.set()
