"""Images that workers have just rendered, and the files of jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

from litestar import Controller, get, post
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from flamenco_core.errors import BadRequest, NotFound, StaleMessage
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    Stream,
    empty,
    manager_of,
    path_id,
    worker_of,
)
from flamenco_core.manager.last_rendered import MEDIA_TYPES
from flamenco_core.manager.log_view import log_blocks
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.usecases.read_log import plan_log
from flamenco_core.offers.operations import Raw, operation

__all__ = ["JobFileController", "OutputController"]

LARGEST = 25 * 1024 * 1024
SAFE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
"""These files are other people's: a browser must not take them for a page of ours."""


class OutputController(Controller):
    """Takes images of running tasks."""

    path = "/api/v3/worker/task/{task_id:str}/output-produced"
    tags = ["worker"]

    @post(
        "/",
        opt=operation(
            "taskOutputProduced", {202: None}, takes=Raw(*MEDIA_TYPES), refuses=[409, 411, 415, 429]
        ),
        status_code=202,
        request_max_body_size=LARGEST,
    )
    async def output_produced(self, request: Request[Any, Any, Any]) -> Answer:
        """Keep an image as the newest of its job."""
        manager, worker = manager_of(request), worker_of(request)
        job = await _job_of(manager, worker, path_id(request, "task_id"))
        media_type = _checked_type(request)
        image = await request.body()
        try:
            await asyncio.to_thread(manager.last_rendered.store, job, media_type, image)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return empty(202)


async def _job_of(manager: Manager, worker: str, task: str) -> str:
    row = await manager.database.read(task_rows.task_by_uuid, task)
    if row.worker_uuid != worker:
        raise StaleMessage(f"task {task} is not assigned to you (any more)")
    return str(row.job_uuid)


def _checked_type(request: Request[Any, Any, Any]) -> str:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        known = " and ".join(MEDIA_TYPES)
        raise HTTPException(f"an image must be {known}, not {media_type!r}", status_code=415)
    length = request.headers.get("content-length")
    if length in {None, "0"}:
        raise HTTPException("the image has no length", status_code=411)
    return media_type


class JobFileController(Controller):
    """Logs and images of jobs, at the addresses that Flamenco's clients know."""

    path = "/job-files/{folder:str}/{job_id:str}/{name:str}"
    tags = ["jobs"]

    @get("/", opt=operation("fetchJobFile", Raw("text/plain", *MEDIA_TYPES)))
    async def job_file(self, request: Request[Any, Any, Any]) -> ASGIApp:
        """Return a task's whole log, or a job's newest image."""
        try:
            job = path_id(request, "job_id")
            return await _image(request, job) or cast("ASGIApp", await _log(request, job))
        except BadRequest as error:
            raise NotFound(f"there is no file {request.scope['path']}") from error


async def _image(request: Request[Any, Any, Any], job: str) -> Answer | None:
    images, name = manager_of(request).last_rendered, request.path_params["name"]
    path = await asyncio.to_thread(images.path, job, name)
    if path is None:
        return None
    media_type = next(key for key, value in MEDIA_TYPES.items() if value == name)
    headers = SAFE | {"Cache-Control": "no-cache"}
    return Answer(await asyncio.to_thread(path.read_bytes), media_type=media_type, headers=headers)


async def _log(request: Request[Any, Any, Any], job: str) -> Stream:
    manager, name = manager_of(request), request.path_params["name"]
    request.path_params["task"] = name.removeprefix("task-").removesuffix(".txt")
    plan = await manager.database.read(plan_log, path_id(request, "task"))
    if plan.job_id != job or name != f"task-{plan.task_id}.txt":
        raise NotFound(f"there is no file {name!r} of job {job}")

    def blocks() -> Iterator[bytes]:
        yield from log_blocks(manager.logs, plan)

    headers = SAFE | {
        "Content-Disposition": f'inline; filename="{name}"',
        "Content-Type": "text/plain; charset=UTF-8",
    }
    return Stream(blocks(), headers=headers)
