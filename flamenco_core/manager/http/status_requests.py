"""What workers were asked to be, and what came of it."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get

from flamenco_core.clock import rfc3339
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.workers import RequestOutcome
from flamenco_core.manager.http.plumbing import Answer, Request, manager_of, path_id, reply
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.usecases.requests import requests_of_worker
from flamenco_core.offers.operations import operation
from flamenco_core.wire.worker_mgt import WorkerStatusRequest, WorkerStatusRequestList

__all__ = ["StatusRequestController"]


class StatusRequestController(Controller):
    """Requests of other statuses."""

    path = "/api/v3/worker-mgt/workers/{worker_id:str}/status-requests"
    tags = ["worker-mgt"]

    @get("/", opt=operation("fetchWorkerStatusRequests", WorkerStatusRequestList))
    async def fetch(self, request: Request[Any, Any, Any]) -> Answer:
        """List what a worker was asked to be, the newest first."""
        worker = path_id(request, "worker_id")
        rows = await manager_of(request).database.read(requests_of_worker, worker)
        return reply(WorkerStatusRequestList([_view(row) for row in rows]))


def _view(row: Row) -> WorkerStatusRequest:
    return WorkerStatusRequest(
        id=str(row.id),
        status=WorkerStatus(row.status),
        is_lazy=bool(row.is_lazy),
        asked_at=rfc3339(row.asked_at),
        asked_by=row.asked_by or None,
        ended_at=None if row.ended_at is None else rfc3339(row.ended_at),
        outcome=RequestOutcome(row.outcome) if row.outcome else None,
    )
