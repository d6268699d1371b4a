"""The ``worker-mgt`` operations: look at workers and tell them what to do."""

from __future__ import annotations

from typing import Any

from litestar import Controller, delete, get, post, put

from flamenco_core.domain.newcomers import STRANGER, Newcomer
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
from flamenco_core.manager.http.views import tag_view, worker_summary, worker_view
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases import tags, workers
from flamenco_core.manager.usecases.newcomers import list_workers, newcomers_among
from flamenco_core.offers.operations import operation
from flamenco_core.wire import worker_mgt as wire

__all__ = ["WorkerManagementController"]


class WorkerManagementController(Controller):
    """Workers and tags, for people."""

    path = "/api/v3/worker-mgt"
    tags = ["worker-mgt"]

    @get("/workers", opt=operation("fetchWorkers", wire.WorkerList))
    async def fetch_workers(self, request: Request[Any, Any, Any]) -> Answer:
        """List all workers."""
        manager = manager_of(request)
        found = await manager.database.read(list_workers)
        views = [worker_summary(w.row, manager.liveness, w.tags, w.new) for w in found]
        return reply(wire.WorkerList(views))

    @get("/workers/{worker_id:str}", opt=operation("fetchWorker", wire.Worker))
    async def fetch_worker(self, request: Request[Any, Any, Any]) -> Answer:
        """Show a worker."""
        manager, worker = manager_of(request), path_id(request, "worker_id")
        row, task, tagged, new = await manager.database.read(_whole_worker, worker)
        return reply(worker_view(row, manager.liveness, task, tagged, new))

    @delete("/workers/{worker_id:str}", opt=operation("deleteWorker"), status_code=200)
    async def delete_worker(self, request: Request[Any, Any, Any]) -> Answer:
        """Remove a worker from the farm."""
        manager, worker = manager_of(request), path_id(request, "worker_id")
        await manager.database.write(workers.delete_worker, worker, manager.rules)
        manager.liveness.forget(worker)
        return empty()

    @post(
        "/workers/{worker_id:str}/setstatus",
        opt=operation(
            "requestWorkerStatusChange", takes=wire.WorkerStatusChangeRequest, refuses=[422]
        ),
        status_code=200,
    )
    async def set_status(self, request: Request[Any, Any, Any]) -> Answer:
        """Ask a worker to be something else."""
        worker, by = path_id(request, "worker_id"), request.scope["state"]["identity"].name
        body = await body_of(request, wire.WorkerStatusChangeRequest)
        await manager_of(request).database.write(
            workers.request_worker_status, worker, body.status, is_lazy=body.is_lazy, by=by
        )
        return empty()

    @post(
        "/workers/{worker_id:str}/settags",
        opt=operation("setWorkerTags", takes=wire.WorkerTagChangeRequest),
        status_code=200,
    )
    async def set_tags(self, request: Request[Any, Any, Any]) -> Answer:
        """Give a worker other tags."""
        worker = path_id(request, "worker_id")
        body = await body_of(request, wire.WorkerTagChangeRequest)
        manager = manager_of(request)
        zone = manager.rules.zone
        await manager.database.write(tags.set_worker_tags, worker, body.tag_ids, zone)
        return empty()

    @get("/tags", opt=operation("fetchWorkerTags", wire.WorkerTagList))
    async def fetch_tags(self, request: Request[Any, Any, Any]) -> Answer:
        """List all tags, by name."""
        rows = await manager_of(request).database.read(tag_rows.all_tags)
        return reply(wire.WorkerTagList([tag_view(row) for row in rows]))

    @post(
        "/tags",
        opt=operation("createWorkerTag", wire.WorkerTag, takes=wire.WorkerTag),
        status_code=200,
    )
    async def create_tag(self, request: Request[Any, Any, Any]) -> Answer:
        """Make a tag."""
        manager = manager_of(request)
        body = await body_of(request, wire.WorkerTag)
        id = as_id(body.id) if body.id else manager.new_id()
        row = await manager.database.write(tags.create_tag, id, body.name, body.description or "")
        return reply(tag_view(row))

    @get("/tag/{tag_id:str}", opt=operation("fetchWorkerTag", wire.WorkerTag))
    async def fetch_tag(self, request: Request[Any, Any, Any]) -> Answer:
        """Show a tag."""
        tag = path_id(request, "tag_id")
        return reply(tag_view(await manager_of(request).database.read(tags.get_tag, tag)))

    @put(
        "/tag/{tag_id:str}", opt=operation("updateWorkerTag", takes=wire.WorkerTag), status_code=200
    )
    async def update_tag(self, request: Request[Any, Any, Any]) -> Answer:
        """Give a tag another name or description."""
        tag, body = path_id(request, "tag_id"), await body_of(request, wire.WorkerTag)
        database = manager_of(request).database
        await database.write(tags.update_tag, tag, body.name, body.description)
        return empty()

    @delete("/tag/{tag_id:str}", opt=operation("deleteWorkerTag"), status_code=200)
    async def delete_tag(self, request: Request[Any, Any, Any]) -> Answer:
        """Delete a tag."""
        manager, tag = manager_of(request), path_id(request, "tag_id")
        await manager.database.write(tags.delete_tag, tag, manager.rules.zone)
        return empty()


def _whole_worker(tx: Tx, worker: str) -> tuple[Row, Row | None, list[Row], Newcomer]:
    row = worker_rows.worker_by_uuid(tx, worker)
    new = newcomers_among(tx, worker_rows.all_workers(tx)).get(worker, STRANGER)
    return row, task_rows.last_of_worker(tx, row.id), worker_rows.tags_of(tx, row.id), new
