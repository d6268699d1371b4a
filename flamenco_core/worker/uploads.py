"""Shows the Manager what was rendered last; never in the way of the task.

One image waits at most: a newer one takes its place. An upload that fails is not tried
again, because the next frame will be more interesting.
"""

from __future__ import annotations

import logging
from pathlib import Path

import anyio
import anyio.to_thread
import attrs

from flamenco_core.errors import Busy, Refused
from flamenco_core.pictures.kinds import media_type_of
from flamenco_core.worker.client import ManagerClient

__all__ = ["MOST_BYTES", "Rendered", "Uploads"]

log = logging.getLogger(__name__)

MOST_BYTES = 25 * 1024 * 1024


@attrs.frozen
class Rendered:
    """An image file that a task has made; of which frame, if that is known."""

    task_id: str
    path: str
    frame: int | None = None


class Uploads:
    """A queue of one."""

    def __init__(self, client: ManagerClient) -> None:
        self._client = client
        self._next: Rendered | None = None
        self._news = anyio.Event()
        self._unwanted: tuple[str, str] | None = None

    def offer(self, rendered: Rendered) -> None:
        """Take an image file; forget the one that waits."""
        self._next = rendered
        self._news.set()

    async def run(self) -> None:
        """Upload, one image at a time, until cancelled."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            if self._next is not None:
                rendered, self._next = self._next, None
                await self._upload(rendered)

    async def _upload(self, rendered: Rendered) -> None:
        task, path = rendered.task_id, rendered.path
        try:
            image = await anyio.to_thread.run_sync(_read, path)
            if isinstance(image, str):
                log.info("not shown as last rendered: %s: %s", path, image)
            elif (task, image[1]) != self._unwanted:
                await self._send(rendered, *image)
        except (OSError, Busy, Refused) as error:
            log.warning("cannot show %s as last rendered: %s", path, error)

    async def _send(self, rendered: Rendered, image: bytes, media_type: str) -> None:
        try:
            await self._client.output_produced(
                rendered.task_id, image, media_type, frame=rendered.frame
            )
        except Refused:
            # The other frames of this task are no different: said once is enough.
            self._unwanted = (rendered.task_id, media_type)
            raise


def _read(path: str) -> tuple[bytes, str] | str:
    with Path(path).open("rb") as file:
        image = file.read(MOST_BYTES + 1)
    if len(image) > MOST_BYTES:
        return "larger than 25 MiB"
    media_type = media_type_of(image)
    return (image, media_type) if media_type else "neither PNG, JPEG, WebP nor OpenEXR"
