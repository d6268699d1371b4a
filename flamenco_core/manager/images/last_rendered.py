"""The newest image of each job and task: waits its turn, is made small, is told.

Nothing of it is in the way of the farm: an image is decoded by another process, and one
that is broken, too large or too late is a line in the log.
"""

from __future__ import annotations

import asyncio
import logging

from flamenco_core.manager.images.files import ImageFiles
from flamenco_core.manager.images.shrink import BrokenImage, Shrinker
from flamenco_core.manager.images.slots import Slots, Upload
from flamenco_core.manager.logs import TaskLogs
from flamenco_core.manager.store.database import Database
from flamenco_core.manager.usecases.newest_image import remember_image

__all__ = ["LastRendered"]

log = logging.getLogger(__name__)

PROCESSES = 2
"""How many images are decoded at a time, each of another job."""


class LastRendered:
    """Takes images of running tasks and shows the newest."""

    def __init__(self, logs: TaskLogs, database: Database) -> None:
        self.files = ImageFiles(logs)
        self.slots = Slots()
        self.shrinker = Shrinker()
        self.broken = 0
        """How many images could not be shown."""
        self._database = database

    def offer(self, upload: Upload) -> bool:
        """Let an image wait for its turn; say whether there was room for it."""
        return self.slots.put(upload)

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
            finally:
                self.slots.done(upload.job)

    async def _show(self, upload: Upload) -> None:
        job, task = upload.job, upload.task
        try:
            images = await self.shrinker.shrink(upload.kind, upload.image)
            await asyncio.to_thread(self.files.store, job, task, images)
        # A full disk is no reason to stop either: the next image may find room.
        except (BrokenImage, OSError) as error:
            self.broken += 1
            log.warning("an image of task %s of job %s cannot be shown: %s", task, job, error)
            return
        # Only now: who hears of it gets the new files.
        if not await self._database.write(remember_image, job, task):
            await asyncio.to_thread(self.files.remove, job, task)
