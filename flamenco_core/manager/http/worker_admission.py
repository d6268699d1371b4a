"""Decide on Workers: approve, reject, ask for another secret."""

from __future__ import annotations

from typing import Any

from litestar import Controller, post

from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    as_id,
    body_of,
    empty,
    manager_of,
    path_id,
)
from flamenco_core.manager.usecases import approval, rotation
from flamenco_core.manager.usecases.merge import merge_workers
from flamenco_core.offers.operations import operation
from flamenco_core.wire import registration as wire

__all__ = ["WorkerAdmissionController"]


class WorkerAdmissionController(Controller):
    """Workers that want to get in, and those that are to stay in."""

    path = "/api/v3/worker-mgt/workers/{worker_id:str}"
    tags = ["worker-mgt"]

    @post("/approve", opt=operation("approveWorker", takes=wire.WorkerApproval), status_code=200)
    async def approve(self, request: Request[Any, Any, Any]) -> Answer:
        """Let a Worker in that waits for approval."""
        manager, worker = manager_of(request), path_id(request, "worker_id")
        body = await body_of(request, wire.WorkerApproval)
        await manager.database.write(approval.approve_worker, worker, body.tag or "", manager.rules)
        return empty()

    @post("/reject", opt=operation("rejectWorker", refuses=[409]), status_code=200)
    async def reject(self, request: Request[Any, Any, Any]) -> Answer:
        """Send a Worker away that waits for approval."""
        manager, worker = manager_of(request), path_id(request, "worker_id")
        await manager.database.write(approval.reject_worker, worker, manager.rules)
        manager.liveness.forget(worker)
        return empty()

    @post(
        "/merge",
        opt=operation("mergeWorkers", takes=wire.WorkerMerge, refuses=[409]),
        status_code=200,
    )
    async def merge(self, request: Request[Any, Any, Any]) -> Answer:
        """Let a Worker take over all that is known of an old one, which is deleted."""
        manager, worker = manager_of(request), path_id(request, "worker_id")
        old = as_id((await body_of(request, wire.WorkerMerge)).old_worker_id)
        await manager.database.write(merge_workers, old, worker, manager.rules)
        manager.liveness.forget(old)
        return empty()

    @post("/rotate-secret", opt=operation("rotateWorkerSecret"), status_code=200)
    async def rotate(self, request: Request[Any, Any, Any]) -> Answer:
        """Ask a Worker to change its secret at its next call; ours do."""
        worker = path_id(request, "worker_id")
        await manager_of(request).database.write(rotation.ask_to_rotate, worker)
        return empty()
