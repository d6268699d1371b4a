"""Delete what people have marked: files first, rows last, so that nothing is forgotten."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

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
        for row in await self._manager.database.read(delete.requested):
            try:
                if row.archive or self._manager.settings.cleanup.archive_before_delete:
                    archive = await self._manager.archiver.store(row.uuid)
                    log.info("job %s is archived in %s", row.uuid, archive)
                await self._delete(row.uuid, row.shaman_checkout_id)
            # The border to storages and disks: other jobs are deleted all the same.
            except Exception:
                log.exception("job %s could not be deleted; it will be tried again", row.uuid)

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
