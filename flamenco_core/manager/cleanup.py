"""Let finished jobs go whose time is over; and say first what would go, and how big it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from flamenco_core.domain.retention import Rule
from flamenco_core.errors import BadRequest
from flamenco_core.manager.disk_use import disk_uses
from flamenco_core.manager.usecases import retention

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["Candidate", "Cleanup", "require_archive"]

log = logging.getLogger(__name__)


@attrs.frozen
class Candidate:
    """A job that goes, and the bytes of its logs and images."""

    job: retention.Expired
    size: int


class Cleanup:
    """Finds and deletes the jobs of a Manager whose time is over."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def run(self) -> None:
        """Let go what the rules of the settings say, once."""
        gone = await self.prune(self._manager.settings.cleanup.rules)
        if gone:
            log.info("%s jobs are deleted because their time is over", len(gone))

    async def candidates(self, rules: Sequence[Rule]) -> list[Candidate]:
        """Return which jobs would go, and what that would free."""
        found = await self._manager.database.read(retention.find_expired, rules)
        uses = await asyncio.to_thread(disk_uses, self._manager.logs, [job.id for job in found])
        return [Candidate(job, use.freed) for job, use in zip(found, uses, strict=True)]

    async def prune(self, rules: Sequence[Rule], *, archive: bool = False) -> list[str]:
        """Mark the jobs whose time is over for deletion; return their ids.

        Raises `BadRequest` if they shall be archived and there is no place for that.
        """
        manager = self._manager
        if archive:
            require_archive(manager)
        found = await manager.database.read(retention.find_expired, rules)
        gone: list[str] = []
        for job in found:
            # Each in a transaction of its own: the farm goes on in between.
            gone += await manager.database.write(retention.let_go, [job.id], rules, archive=archive)
        if gone:
            await manager.deletion.ask()
        return gone


def require_archive(manager: Manager) -> None:
    """Raise `BadRequest` if there is no folder for archives."""
    if manager.settings.cleanup.archive_path is None:
        raise BadRequest("there is no folder for archives; set 'cleanup.archive_path' first")
