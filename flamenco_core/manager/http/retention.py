"""Archive jobs, say how long they are kept, and let old ones go; ours, not in Flamenco 3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar import Controller, get, post

from flamenco_core.clock import rfc3339
from flamenco_core.domain.retention import FINISHED, Rule
from flamenco_core.errors import BadRequest
from flamenco_core.manager.archive import archive_name
from flamenco_core.manager.cleanup import require_archive
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    Stream,
    body_of,
    empty,
    manager_of,
    path_id,
    reply,
)
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.usecases import retention
from flamenco_core.offers.operations import Raw, operation
from flamenco_core.wire import retention as wire

__all__ = ["RetentionController", "retention_of"]

LONGEST = 100 * 365 * 86_400


class RetentionController(Controller):
    """What is kept of jobs, and for how long."""

    path = "/api/v3/jobs"
    tags = ["jobs"]

    @get("/{job_id:str}/archive", opt=operation("downloadJobArchive", Raw("application/zip")))
    async def download(self, request: Request[Any, Any, Any]) -> Stream:
        """Send a job with all that is known of it as a zip file."""
        manager, job = manager_of(request), path_id(request, "job_id")
        row = await manager.database.read(job_rows.job_by_uuid, job)
        name = archive_name(job, row.name).encode("ascii", "replace").decode().replace("?", "_")
        headers = {
            "Content-Type": "application/zip",
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        }
        return Stream(_pieces(manager, job), headers=headers)

    @post("/{job_id:str}/archive", opt=operation("archiveJob", wire.ArchivedJob), status_code=200)
    async def archive(self, request: Request[Any, Any, Any]) -> Answer:
        """Put the archive of a job into the Manager's folder for them."""
        manager, job = manager_of(request), path_id(request, "job_id")
        require_archive(manager)
        path = await manager.archiver.store(job)
        size = (await asyncio.to_thread(path.stat)).st_size
        return reply(wire.ArchivedJob(str(path), size))

    @get("/{job_id:str}/retention", opt=operation("fetchJobRetention", wire.JobRetention))
    async def fetch_retention(self, request: Request[Any, Any, Any]) -> Answer:
        """Say how long a job is kept, and why."""
        return reply(await retention_of(manager_of(request), path_id(request, "job_id")))

    @post(
        "/{job_id:str}/retention",
        opt=operation("setJobRetention", takes=wire.JobRetention),
        status_code=200,
    )
    async def set_retention(self, request: Request[Any, Any, Any]) -> Answer:
        """Keep a job, let it go after some time, or leave it to the rules."""
        manager, job = manager_of(request), path_id(request, "job_id")
        body = await body_of(request, wire.JobRetention)
        if body.keep and body.seconds is not None:
            raise BadRequest("JobRetention is either keep or seconds; send one of them")
        _require_age("JobRetention.seconds", body.seconds)
        await manager.database.write(
            retention.set_retention, job, keep=body.keep, seconds=body.seconds
        )
        return empty()

    @post(
        "/prune",
        opt=operation("pruneJobs", wire.PruneResult, takes=wire.PruneSelection),
        status_code=200,
    )
    async def prune(self, request: Request[Any, Any, Any]) -> Answer:
        """Delete the finished jobs whose time is over, or only say which."""
        manager = manager_of(request)
        body = await body_of(request, wire.PruneSelection)
        rules = _rules(manager, body)
        found = await manager.cleanup.candidates(rules)
        if not body.dry_run:
            gone = await manager.cleanup.prune(rules, archive=body.archive)
            found = [candidate for candidate in found if candidate.job.id in gone]
        return reply(
            wire.PruneResult(
                dry_run=body.dry_run,
                size=sum(candidate.size for candidate in found),
                jobs=[_shown(candidate) for candidate in found],
            )
        )


async def retention_of(manager: Manager, job: str) -> wire.JobRetention:
    """Return how long a job is kept, and why; raises `NotFound`."""
    cleanup = manager.settings.cleanup
    row, fate = await manager.database.read(retention.fate_of_job, job, cleanup.rules)
    return wire.JobRetention(
        keep=bool(row.keep),
        seconds=row.seconds,
        expires=None if fate.expires is None else rfc3339(fate.expires),
        reason=fate.reason if cleanup.enabled else f"{fate.reason}; the clean-up is off",
    )


async def _pieces(manager: Manager, job: str) -> AsyncIterator[bytes]:
    async for piece in manager.archiver.stream(job):
        if piece:
            yield piece


def _rules(manager: Manager, body: wire.PruneSelection) -> tuple[Rule, ...]:
    if wrong := set(body.statuses) - FINISHED:
        raise BadRequest(
            f"PruneSelection.statuses: {sorted(wrong)[0]!r:.40} is none of"
            f" {', '.join(sorted(FINISHED))}; other jobs are never pruned"
        )
    _require_age("PruneSelection.older_than_seconds", body.older_than_seconds)
    if body.older_than_seconds is not None:
        statuses, user = tuple(body.statuses), body.user.strip()
        return (Rule(statuses=statuses, user=user, seconds=body.older_than_seconds),)
    rules = manager.settings.cleanup.rules
    if not rules:
        raise BadRequest(
            "there are no rules to follow (setting 'cleanup.rules'); say how old jobs must be:"
            " older_than_seconds, --older-than on the command line"
        )
    if body.statuses or body.user.strip():
        raise BadRequest("PruneSelection: statuses and user go with older_than_seconds only")
    return rules


def _require_age(what: str, seconds: int | None) -> None:
    if seconds is not None and not 0 <= seconds <= LONGEST:
        raise BadRequest(f"{what} must be from 0 to {LONGEST}, a hundred years")


def _shown(candidate: Any) -> wire.PrunedJob:
    job = candidate.job
    return wire.PrunedJob(
        id=job.id,
        name=job.name,
        type=job.type,
        status=job.status,
        updated=rfc3339(job.updated),
        reason=job.reason,
        size=candidate.size,
    )
