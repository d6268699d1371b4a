"""Delete what people have marked: files first, rows last, so that nothing is forgotten."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from flamenco_core.manager.store.query import Row
from flamenco_core.manager.usecases import delete

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["Deletion"]

log = logging.getLogger(__name__)


class Deletion:
    """Deletes the marked jobs of a Manager's database."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._asked = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    async def ask(self) -> None:
        """Let it look for marked jobs now."""
        self.wake()

    def wake(self) -> None:
        """Do the same, without waiting: another Manager has marked some."""
        self._asked.set()

    async def run(self) -> None:
        """Delete marked jobs whenever somebody asks, until it is cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self.delete_marked()

    async def delete_marked(self) -> None:
        """Delete all marked jobs; one that cannot be deleted now is tried the next time."""
        async with self._one_at_a_time:
            for row in await self._manager.database.read(delete.requested):
                try:
                    await self._archive_and_delete(row)
                # The border to storages and disks: other jobs are deleted all the same.
                except Exception:
                    log.exception("job %s could not be deleted; it will be tried again", row.uuid)

    async def _archive_and_delete(self, job: Row) -> None:
        if job.archive or self._manager.settings.cleanup.archive_before_delete:
            archive = await self._manager.archiver.store(job.uuid)
            log.info("job %s is archived in %s", job.uuid, archive)
        await self._delete(job.uuid, job.shaman_checkout_id)

    async def _delete(self, job: str, checkout: str) -> None:
        manager = self._manager
        await manager.storage.erase(job, checkout)
        await asyncio.to_thread(manager.logs.remove, job)
        while await manager.database.write(delete.delete_some_tasks, job):
            pass
        await manager.database.write(delete.delete_job, job)
        # What a worker has sent meanwhile.
        await asyncio.to_thread(manager.logs.remove, job)
        log.info("job %s is deleted", job)
