"""Show workers that were removed, and bring them back."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get, post

from flamenco_core.clock import rfc3339
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    empty,
    manager_of,
    path_id,
    reply,
)
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.usecases.old_workers import removed_workers
from flamenco_core.offers.operations import operation
from flamenco_core.wire.old_workers import RemovedWorker, RemovedWorkerList

__all__ = ["OldWorkerController"]


class OldWorkerController(Controller):
    """Workers that are no more."""

    path = "/api/v3/worker-mgt"
    tags = ["worker-mgt"]

    @get("/removed-workers", opt=operation("fetchRemovedWorkers", RemovedWorkerList))
    async def fetch_removed(self, request: Request[Any, Any, Any]) -> Answer:
        """List the workers that were removed."""
        rows = await manager_of(request).database.read(removed_workers)
        return reply(RemovedWorkerList([_view(row) for row in rows]))

    @post(
        "/workers/{worker_id:str}/restore",
        opt=operation("restoreWorker", refuses=[409]),
        status_code=200,
    )
    async def restore_worker(self, request: Request[Any, Any, Any]) -> Answer:
        """Bring a worker back that was removed."""
        await manager_of(request).old_workers.restore(path_id(request, "worker_id"))
        return empty()


def _view(row: Row) -> RemovedWorker:
    return RemovedWorker(
        id=row.uuid,
        name=row.name,
        removed_at=rfc3339(row.deleted_at),
        last_seen=None if row.seen_at is None else rfc3339(row.seen_at),
    )
