"""The newest image of each job and task: waits its turn, is made small, is told.

Nothing of it is in the way of the farm: an image is decoded by another process, and one
that is broken, too large or too late is a line in the log.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from flamenco_core.manager.images.files import ImageFiles
from flamenco_core.manager.images.shrinker import BrokenImage, Shrinker, can_read_exr
from flamenco_core.manager.images.slots import Slots, Upload
from flamenco_core.manager.usecases.newest_image import NewImage, remember_image

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["LastRendered"]

log = logging.getLogger(__name__)

PROCESSES = 2
"""How many images are decoded at a time, each of another job."""


class LastRendered:
    """Takes images of a Manager's running tasks and shows the newest."""

    def __init__(self, manager: Manager) -> None:
        self.files = ImageFiles(manager.logs)
        self.slots = Slots()
        self.shrinker = Shrinker()
        self.reads_exr = can_read_exr()
        self.broken = 0
        """How many images could not be shown."""
        self._manager = manager

    async def serve(self) -> None:
        """Look at images, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(PROCESSES):
                group.create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            upload = await self.slots.take()
            try:
                await self._show(upload)
            # A full disk, a database that is away: the next image may have more luck.
            except Exception as error:
                self.broken += 1
                text = "an image of task %s of job %s cannot be shown: %s"
                expected = isinstance(error, BrokenImage | OSError)
                log.warning(text, upload.task, upload.job, error, exc_info=not expected)
            finally:
                self.slots.done(upload)

    async def _show(self, upload: Upload) -> None:
        job, image = upload.job, self._manager.new_id()
        sizes = await self.shrinker.shrink(upload.kind, upload.image)
        try:
            await asyncio.to_thread(self.files.store, job, image, sizes)
            # Only now: who hears of it gets the new files.
            outdated = await self._remember(upload, image)
        except Exception:
            await asyncio.to_thread(self.files.remove, job, image)
            raise
        if outdated is None:
            await asyncio.to_thread(self.files.remove_all, job, image)
        else:
            await asyncio.to_thread(self.files.remove, job, *outdated)

    async def _remember(self, upload: Upload, image: str) -> list[str] | None:
        keep = self._manager.settings.last_rendered_history
        new = NewImage(id=image, job=upload.job, task=upload.task, frame=upload.frame)
        return await self._manager.database.write(remember_image, new, keep)
