"""The operations on blocklists, of a job and of a worker."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, delete, get, post

from flamenco_core.clock import rfc3339
from flamenco_core.errors import BadRequest
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    as_id,
    body_of,
    empty,
    manager_of,
    path_id,
    reply,
)
from flamenco_core.manager.store.blocks import blocks_of_job
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.tables import NEVER
from flamenco_core.manager.usecases import blocklist
from flamenco_core.offers.operations import operation
from flamenco_core.wire import blocklist as wire
from flamenco_core.wire.blocklist import LONGEST
from flamenco_core.wire.schema import Limits

__all__ = ["JobBlocklistController", "WorkerBlocklistController"]

BLOCKLIST = list[wire.JobBlocklistEntry]
REMOVED = list[wire.JobBlocklistRemoval]
SOME = Annotated[REMOVED, Limits(minItems=1)]
NEW = Annotated[list[wire.JobBlocklistAddition], Limits(minItems=1)]


class JobBlocklistController(Controller):
    """Who gets no more tasks of a type from a job."""

    path = "/api/v3/jobs/{job_id:str}/blocklist"
    tags = ["jobs"]

    @get("/", opt=operation("fetchJobBlocklist", BLOCKLIST))
    async def fetch_blocklist(self, request: Request[Any, Any, Any]) -> Answer:
        """List the workers that get no more tasks of a type from a job."""
        rows = await manager_of(request).database.read(blocks_of_job, path_id(request, "job_id"))
        return reply([wire.JobBlocklistEntry(**_who(row), **_why(row)) for row in rows])

    @post("/", opt=operation("addToJobBlocklist", takes=NEW), status_code=200)
    async def add_blocklist(self, request: Request[Any, Any, Any]) -> Answer:
        """Put workers on a job's blocklist; what was there before is replaced."""
        job, by = path_id(request, "job_id"), request.scope["state"]["identity"].name
        new = await body_of(request, list[wire.JobBlocklistAddition])
        if not new:
            raise BadRequest("no entries are given; nobody would be blocked")
        entries = [_new(entry) for entry in new]
        await manager_of(request).database.write(blocklist.add_to_blocklist, job, entries, by)
        return empty()

    @delete("/", opt=operation("removeJobBlocklist", takes=SOME), status_code=200)
    async def remove_blocklist(self, request: Request[Any, Any, Any]) -> Answer:
        """Take workers off a job's blocklist."""
        job = path_id(request, "job_id")
        entries = await body_of(request, REMOVED)
        if not entries:
            raise BadRequest("no entries are given; nothing would be removed")
        pairs = [(entry.worker_id.lower(), entry.task_type) for entry in entries]
        await manager_of(request).database.write(blocklist.remove_from_blocklist, job, pairs)
        return empty()


class WorkerBlocklistController(Controller):
    """From which jobs a worker gets no more tasks of a type."""

    path = "/api/v3/worker-mgt/workers/{worker_id:str}/blocklist"
    tags = ["worker-mgt"]

    @get("/", opt=operation("fetchWorkerBlocklist", list[wire.WorkerBlocklistEntry]))
    async def fetch_blocklist(self, request: Request[Any, Any, Any]) -> Answer:
        """List a worker's entries on the blocklists of all jobs."""
        rows = await _of_worker(request)
        return reply([wire.WorkerBlocklistEntry(**_where(row), **_why(row)) for row in rows])

    @delete("/", opt=operation("clearWorkerBlocklist"), status_code=200)
    async def clear_blocklist(self, request: Request[Any, Any, Any]) -> Answer:
        """Take a worker off the blocklists of all jobs."""
        jobs = [row.job_uuid for row in await _of_worker(request)]
        worker = path_id(request, "worker_id")
        await manager_of(request).database.write(blocklist.clear_worker, worker, jobs)
        return empty()


async def _of_worker(request: Request[Any, Any, Any]) -> list[Row]:
    database, worker = manager_of(request).database, path_id(request, "worker_id")
    found: list[Row] = await database.read(blocklist.blocklist_of_worker, worker)
    return found


def _new(entry: wire.JobBlocklistAddition) -> blocklist.NewBlock:
    if entry.seconds is not None and not 0 < entry.seconds <= LONGEST:
        raise BadRequest(
            f"JobBlocklistAddition.seconds must be from 1 to {LONGEST} (ten years), not"
            f" {entry.seconds}; leave it out to block for good"
        )
    return blocklist.NewBlock(
        worker=as_id(entry.worker_id),
        task_type=entry.task_type.lower(),
        reason=entry.reason or "",
        seconds=entry.seconds,
    )


def _who(row: Row) -> dict[str, str]:
    return {"worker_id": row.worker_uuid, "worker_name": row.worker_name}


def _where(row: Row) -> dict[str, str]:
    return {"job_id": row.job_uuid, "job_name": row.job_name, "job_status": row.job_status}


def _why(row: Row) -> dict[str, Any]:
    return {
        "task_type": row.task_type,
        "reason": row.reason or None,
        "added_at": rfc3339(row.created_at),
        "added_by": row.added_by or None,
        "expires_at": None if row.expires_at == NEVER else rfc3339(row.expires_at),
    }
