"""Look after the database: whether it is there, whole, and has a recent backup."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flamenco_core.domain.events import DatabaseTrouble

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["DatabaseCare"]

log = logging.getLogger(__name__)

PERIOD = 10.0
"""Seconds between two looks; the start has been one."""
FIRST = 60.0
"""Seconds after the start for the first check: then the Workers are back at work."""
FULL = "the database cannot be written at the moment; is its disk full?"


class DatabaseCare:
    """What goes on beside the work of a Manager so that people hear of trouble early."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._told = ""

    async def look_often(self) -> None:
        """Look every ten seconds, until it is cancelled."""
        while True:
            await self._manager.clock.sleep(PERIOD)
            await self.look()

    async def look(self) -> None:
        """See whether changes can be stored; tell when they cannot, and when they can again."""
        manager = self._manager
        trouble = await manager.database.look()
        ready = bool(trouble) or await manager.readiness.check()
        # Damage last: a check beside this may have found it meanwhile.
        self._tell(trouble or manager.readiness.damage or ("" if ready else FULL))

    async def check_often(self) -> None:
        """Check as often as the settings say, until it is cancelled."""
        period = self._manager.settings.database_check_period.seconds
        pause = min(period, FIRST)
        while period:
            await self._manager.clock.sleep(pause)
            await self.check()
            pause = period

    async def check(self) -> None:
        """Look for damage, and make a backup of a sound database if it is time for one."""
        manager = self._manager
        damage = await manager.database.check()
        manager.readiness.damage = (
            f"the database is damaged: {damage[0]}; 'flamenco db check' says what to do"
            if damage
            else ""
        )
        self._tell(manager.readiness.damage)
        if not damage:
            settings = manager.settings
            age = settings.database_backup_period.seconds
            made = await manager.database.back_up(age, settings.database_backups)
            if made:
                log.info("the database is sound; a backup of it is %s", made)

    def _tell(self, trouble: str) -> None:
        if trouble == self._told:
            return
        self._told = trouble
        if trouble:
            log.error("%s", trouble)
        else:
            log.warning("the database can be written again")
        self._manager.bus.publish([DatabaseTrouble(trouble)])
