"""Look after the workers' sleep schedules."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flamenco_core.manager.store.sleep import due_schedules
from flamenco_core.manager.usecases.sleep import follow_schedule

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["Sleeping"]

log = logging.getLogger(__name__)


class Sleeping:
    """Asks of workers what their schedules say, when a sleep begins or ends.

    What is due stands in the database: of several Managers only the first acts, and one
    that was away or whose clock was set looks once and goes on from there.
    """

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def follow(self) -> None:
        """Let all schedules speak that are due."""
        manager = self._manager
        for worker in await manager.database.read(due_schedules):
            try:
                await manager.database.write(follow_schedule, worker, manager.rules.zone)
            # The border to what one schedule says: the other workers have theirs.
            except Exception:
                log.exception("the sleep schedule of worker %s could not be followed", worker)
