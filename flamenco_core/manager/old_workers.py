"""Look after workers that do not call any more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flamenco_core.manager.usecases import old_workers

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["OldWorkers"]

log = logging.getLogger(__name__)


class OldWorkers:
    """Removes workers that were not heard of for long, a day after people were told.

    A machine that was scrapped, or registered anew, would else count for ever as one that
    may still run a task. One that calls again after all is back.
    """

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def look(self) -> None:
        """Tell of, remove and keep workers as the settings say."""
        days = self._manager.settings.remove_workers_after
        if not days:
            return
        database = self._manager.database
        due = await database.read(old_workers.due_removals, days)
        for worker in due.keep:
            await database.write(old_workers.keep_worker, worker)
        for worker in due.announce:
            await self._announce(worker, days)
        for worker in due.remove:
            await self._remove(worker, days)

    async def _announce(self, worker: str, days: int) -> None:
        row = await self._manager.database.write(old_workers.announce_removal, worker, days)
        if row is not None:
            log.warning(
                "worker %s (%s) was not heard of for long; it is removed in a day"
                " unless it calls ('remove_workers_after: %s')",
                *(row.name, row.uuid, days),
            )

    async def _remove(self, worker: str, days: int) -> None:
        manager = self._manager
        row = await manager.database.write(
            old_workers.remove_old_worker, worker, days, manager.rules
        )
        if row is not None:
            manager.liveness.forget(worker)
            log.warning("worker %s (%s) is removed; it is back if it calls", row.name, row.uuid)

    async def restore(self, worker: str) -> None:
        """Bring a worker back that was removed, as one that has called."""
        await self._manager.database.write(old_workers.restore_worker, worker)
        log.info("worker %s is back", worker)
