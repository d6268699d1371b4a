"""Images that wait to be looked at: the newest of each job, the jobs in turn.

A job that sends a thousand images a second holds one place, like all others: its newer
image takes the place of the older one, and its turn comes after everybody else's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from flamenco_core.errors import Busy

__all__ = ["MOST_BYTES", "Slots", "Upload"]

MOST_BYTES = 128 * 1024 * 1024
"""Of all images together that are received, wait or are looked at, as they were sent."""


@attrs.frozen(kw_only=True)
class Upload:
    """An image of a running task, as its worker has sent it; ``frame`` if it said so."""

    job: str
    task: str
    kind: str
    image: bytes = attrs.field(repr=False)
    frame: int | None = None


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

    @contextmanager
    def room(self, job: str, size: int) -> Iterator[None]:
        """Keep room for an image of a job while it is received.

        Raises `Busy` if others take all of it. The job's own older image makes room.
        """
        if self._bytes + size > self._most and job in self._waiting:
            self._drop(job)
        if self._bytes + size > self._most:
            self.refused += 1
            raise Busy("too many images of other jobs are waiting; send the next one later")
        self._bytes += size
        try:
            yield
        finally:
            self._bytes -= size

    def put(self, upload: Upload) -> None:
        """Let an image wait, in place of an older one of its job."""
        if (older := self._waiting.get(upload.job)) is not None:
            self.dropped += 1
            self._bytes -= len(older.image)
        elif upload.job not in self._taken:
            self._line_up(upload.job)
        self._waiting[upload.job] = upload
        self._bytes += len(upload.image)
        self._idle.clear()

    async def take(self) -> Upload:
        """Wait for an image of the job whose turn it is.

        Until `done` no other image of that job is given out: they would overtake each other.
        """
        while not self._turns:
            self._news.clear()
            await self._news.wait()
        job = self._turns.popleft()
        self._taken.add(job)
        return self._waiting.pop(job)

    def done(self, upload: Upload) -> None:
        """Let the next image of the job line up."""
        self._bytes -= len(upload.image)
        self._taken.discard(upload.job)
        if upload.job in self._waiting:
            self._line_up(upload.job)
        self._look_whether_idle()

    async def idle(self) -> None:
        """Wait until no image waits and none is out."""
        await self._idle.wait()

    def _drop(self, job: str) -> None:
        self.dropped += 1
        self._bytes -= len(self._waiting.pop(job).image)
        if job not in self._taken:
            self._turns.remove(job)
        self._look_whether_idle()

    def _line_up(self, job: str) -> None:
        self._turns.append(job)
        self._news.set()

    def _look_whether_idle(self) -> None:
        if not self._waiting and not self._taken:
            self._idle.set()
