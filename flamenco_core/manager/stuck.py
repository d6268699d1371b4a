"""Find jobs that do not go on by themselves, and help them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import attrs

from flamenco_core.domain.impossible import ImpossibleTasks
from flamenco_core.errors import NotFound
from flamenco_core.manager.usecases.impossible import Impossible, look, treat_job
from flamenco_core.manager.usecases.recover import Repaired, repair_job, stuck_jobs

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["Found", "Stuck"]

log = logging.getLogger(__name__)


@attrs.define
class Found:
    """What one look has found and done."""

    repaired: list[Repaired] = attrs.field(factory=list)
    impossible: list[Impossible] = attrs.field(factory=list)


class Stuck:
    """Looks after jobs that were caught half way, and tasks that nobody may run.

    It looks without locks, and each job is looked at again before it is changed.
    """

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def watch(self) -> None:
        """Look once, and do what the settings say."""
        await self.check()

    async def check(self, choice: ImpossibleTasks | None = None) -> Found:
        """Look once; *choice* is what to do about impossible tasks this time."""
        manager, found = self._manager, Found()
        choice = choice or manager.settings.impossible_tasks
        for job in await manager.database.read(stuck_jobs, manager.rules):
            if repaired := await self._write(repair_job, job, manager.rules):
                found.repaired.append(repaired)
        sight = await manager.database.read(look, choice)
        found.impossible = [tasks for tasks in sight.impossible if tasks.job_id not in sight.jobs]
        for job in sight.jobs:
            found.impossible += await self._write(treat_job, job, choice, manager.rules) or ()
        return found

    async def _write(self, use_case: Any, job: str, *rest: Any) -> Any:
        try:
            return await self._manager.database.write(use_case, job, *rest)
        except NotFound:
            return None  # it was deleted meanwhile
        # The border to one job's data: the others are to be helped all the same.
        except Exception:
            log.exception("job %s could not be looked after", job)
            return None
