"""Let workers try again whose time on a blocklist is over."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from flamenco_core.errors import NotFound
from flamenco_core.manager.store.blocks import expired_jobs
from flamenco_core.manager.usecases.blocklist import expire_blocks

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["expire"]


async def expire(manager: Manager) -> None:
    """Remove entries whose time is over, job by job."""
    database = manager.database
    for job in await database.read(expired_jobs):
        with suppress(NotFound):  # it was deleted meanwhile
            await database.write(expire_blocks, job)
