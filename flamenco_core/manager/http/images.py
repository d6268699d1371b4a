"""Where rendered images can be seen."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Controller, get

from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    empty,
    manager_of,
    path_id,
    reply,
)
from flamenco_core.manager.store import images as image_rows
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.newest_image import image_facts
from flamenco_core.offers.operations import operation
from flamenco_core.wire.images import (
    ImageHistory,
    JobLastRenderedImageInfo,
    image_info,
    job_image_info,
)

__all__ = ["ImageController"]

IMAGE = {200: JobLastRenderedImageInfo, 204: None}


class ImageController(Controller):
    """Says where the newest images are; 204 where there is none."""

    path = "/api/v3"
    tags = ["jobs"]

    @get("/jobs/last-rendered", opt=operation("fetchGlobalLastRenderedInfo", IMAGE))
    async def of_farm(self, request: Request[Any, Any, Any]) -> Answer:
        """Name the images of the job that got one last."""
        return await _of_job(request, await manager_of(request).database.read(_of_farm))

    @get("/jobs/{job_id:str}/last-rendered", opt=operation("fetchJobLastRenderedInfo", IMAGE))
    async def of_job(self, request: Request[Any, Any, Any]) -> Answer:
        """Name the images of a job; an unknown one has none."""
        job = path_id(request, "job_id")
        rows = await manager_of(request).database.read(image_rows.newest_in_job, job)
        return await _of_job(request, rows)

    @get(
        "/jobs/{job_id:str}/last-rendered/history",
        opt=operation("fetchJobImageHistory", ImageHistory),
    )
    async def history(self, request: Request[Any, Any, Any]) -> Answer:
        """Name the last images of a job, the newest first."""
        manager, job = manager_of(request), path_id(request, "job_id")
        most = manager.settings.last_rendered_history
        rows = await manager.database.read(_history, job, most)
        root = _root(request)
        return reply(ImageHistory([image_info(image_facts(row), root) for row in rows]))

    @get("/tasks/{task_id:str}/last-rendered", opt=operation("fetchTaskLastRenderedInfo", IMAGE))
    async def of_task(self, request: Request[Any, Any, Any]) -> Answer:
        """Name the newest images of a task."""
        task = path_id(request, "task_id")
        row = await manager_of(request).database.read(_of_task, task)
        return empty() if row is None else reply(image_info(image_facts(row), _root(request)))


def _of_farm(tx: Tx) -> list[Row]:
    row = image_rows.newest_of_farm(tx)
    return [] if row is None else [row]


def _history(tx: Tx, job: str, most: int) -> list[Row]:
    # Who asks for a job that is not there hears so.
    job_rows.job_by_uuid(tx, job)
    return image_rows.newest_in_job(tx, job, most)


def _of_task(tx: Tx, task: str) -> Row | None:
    task_rows.task_by_uuid(tx, task)
    return image_rows.newest_of_task(tx, task)


async def _of_job(request: Request[Any, Any, Any], rows: list[Row]) -> Answer:
    files = manager_of(request).last_rendered.files
    for row in rows:
        if await asyncio.to_thread(files.has_any, row.job_uuid):
            return reply(job_image_info(image_facts(row), _root(request)))
    return empty()


def _root(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get("root_path", ""))
