"""Shows the Manager what was rendered last; never in the way of the task.

One image waits at most: a newer one takes its place. An upload that fails is not tried
again, because the next frame will be more interesting.
"""

from __future__ import annotations

import logging
from pathlib import Path

import anyio
import anyio.to_thread

from flamenco_core.errors import Busy, Refused
from flamenco_core.worker.client import ManagerClient

__all__ = ["MOST_BYTES", "Uploads", "content_type_of"]

log = logging.getLogger(__name__)

MOST_BYTES = 25 * 1024 * 1024


def content_type_of(image: bytes) -> str | None:
    """Return the content type by what the file begins with; None if it cannot be shown."""
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if image.startswith(b"RIFF") and image[8:12] == b"WEBP":
        return "image/webp"
    return "image/jpeg" if image.startswith(b"\xff\xd8\xff") else None


class Uploads:
    """A queue of one."""

    def __init__(self, client: ManagerClient) -> None:
        self._client = client
        self._next: tuple[str, str] | None = None
        self._news = anyio.Event()

    def offer(self, task_id: str, path: str) -> None:
        """Take an image file; forget the one that waits."""
        self._next = (task_id, path)
        self._news.set()

    async def run(self) -> None:
        """Upload, one image at a time, until cancelled."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            if self._next is not None:
                (task_id, path), self._next = self._next, None
                await self._upload(task_id, path)

    async def _upload(self, task_id: str, path: str) -> None:
        try:
            image = await anyio.to_thread.run_sync(_read, path)
            if isinstance(image, str):
                log.info("not shown as last rendered: %s: %s", path, image)
                return
            await self._client.output_produced(task_id, *image)
        except (OSError, Busy, Refused) as error:
            log.warning("cannot show %s as last rendered: %s", path, error)


def _read(path: str) -> tuple[bytes, str] | str:
    with Path(path).open("rb") as file:
        image = file.read(MOST_BYTES)
    if len(image) == MOST_BYTES:
        return "larger than 25 MiB"
    kind = content_type_of(image)
    return (image, kind) if kind else "neither PNG, JPEG nor WebP"
