"""What jobs take of the disk, and the deletion of many; ours, not in Flamenco 3."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Controller, get, post

from flamenco_core.errors import BadRequest
from flamenco_core.manager.cleanup import require_archive
from flamenco_core.manager.disk_use import disk_use, disk_uses
from flamenco_core.manager.disposal import Disposal
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    as_id,
    body_of,
    manager_of,
    path_id,
    reply,
)
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.offers.operations import operation
from flamenco_core.wire import disposal as wire

__all__ = ["DisposalController"]

MOST = 1_000
"""Jobs that are deleted by one request."""


class DisposalController(Controller):
    """What jobs cost, and how they go."""

    path = "/api/v3"
    tags = ["jobs"]

    @get("/disk-use", opt=operation("fetchJobsDiskUse", wire.JobsDiskUse))
    async def of_all(self, request: Request[Any, Any, Any]) -> Answer:
        """Say what each job takes of the Manager's disk."""
        manager = manager_of(request)
        ids = [row.uuid for row in await manager.database.read(job_rows.all_jobs)]
        archives = manager.settings.cleanup.archive_path
        found = await asyncio.to_thread(disk_uses, manager.logs, ids, archives)
        uses = [_shown(id, use) for id, use in zip(ids, found, strict=True)]
        return reply(wire.JobsDiskUse(uses))

    @get("/jobs/{job_id:str}/disk-use", opt=operation("fetchJobDiskUse", wire.JobDiskUse))
    async def of_job(self, request: Request[Any, Any, Any]) -> Answer:
        """Say what a job takes of the Manager's disk."""
        manager, job = manager_of(request), path_id(request, "job_id")
        await manager.database.read(job_rows.job_by_uuid, job)
        archives = manager.settings.cleanup.archive_path
        return reply(_shown(job, await asyncio.to_thread(disk_use, manager.logs, job, archives)))

    @post(
        "/jobs/delete",
        opt=operation("deleteJobs", wire.JobsDeletionResult, takes=wire.JobsDeletion),
        status_code=200,
    )
    async def delete(self, request: Request[Any, Any, Any]) -> Answer:
        """Let jobs be deleted, or only say what that would free."""
        manager, body = manager_of(request), await body_of(request, wire.JobsDeletion)
        if not 0 < len(body.job_ids) <= MOST:
            raise BadRequest(f"JobsDeletion.job_ids must have 1 to {MOST} ids in it")
        if body.archive:
            require_archive(manager)
        disposal = Disposal(manager, archive=body.archive, spare_kept=body.spare_kept)
        ids = dict.fromkeys(map(as_id, body.job_ids))
        found = [await disposal.of(job, dry_run=body.dry_run) for job in ids]
        if not body.dry_run:
            await manager.deletion.ask()
        size = sum(job.size for job in found if job.problem is None)
        return reply(wire.JobsDeletionResult(dry_run=body.dry_run, size=size, jobs=found))


def _shown(job: str, use: Any) -> wire.JobDiskUse:
    return wire.JobDiskUse(job_id=job, logs=use.logs, images=use.images, archive=use.archive)
