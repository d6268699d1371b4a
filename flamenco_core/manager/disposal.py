"""Delete the jobs that somebody has named, and say of each what becomes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from flamenco_core.errors import NotFound
from flamenco_core.manager.disk_use import disk_use
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.usecases import retention
from flamenco_core.wire.disposal import DeletedJob

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["Disposal"]


@attrs.frozen
class Disposal:
    """How jobs go: archived first, or not those that somebody wants to keep."""

    _manager: Manager
    archive: bool = attrs.field(kw_only=True)
    spare_kept: bool = attrs.field(kw_only=True)

    async def of(self, job: str, *, dry_run: bool) -> DeletedJob:
        """Mark one job for deletion, in a transaction of its own; or only look at it."""
        database = self._manager.database
        try:
            row, _ = await database.read(retention.fate_of_job, job, ())
            if row.keep and self.spare_kept:
                return _shown(row, "it is to be kept")
            if not dry_run:
                await database.write(retention.mark, job, archive=self.archive)
        except NotFound as error:
            return DeletedJob(id=job, problem=str(error))
        use = await asyncio.to_thread(disk_use, self._manager.logs, job)
        return attrs.evolve(_shown(row), size=use.freed)


def _shown(row: Row, problem: str | None = None) -> DeletedJob:
    return DeletedJob(id=row.uuid, name=row.name, type=row.type, status=row.status, problem=problem)
