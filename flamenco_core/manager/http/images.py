"""Images of running tasks: from workers, and where they can be seen."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Controller, get, post
from litestar.exceptions import HTTPException

from flamenco_core.clock import rfc3339
from flamenco_core.errors import StaleMessage
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    empty,
    manager_of,
    path_id,
    reply,
    worker_of,
)
from flamenco_core.manager.images import Upload
from flamenco_core.manager.images.kinds import KINDS, is_too_large, kind_of, name_of, size_of
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.usecases.newest_image import newest_image
from flamenco_core.wire import images as wire

__all__ = ["ImageController", "OutputController"]

LARGEST = 25 * 1024 * 1024
"""Bytes of an image; Flamenco's limit."""
KNOWN = "JPEG, PNG or WebP"


class OutputController(Controller):
    """Takes images of running tasks."""

    path = "/api/v3/worker/task/{task_id:str}/output-produced"

    @post(
        "/",
        opt={"operation": "taskOutputProduced"},
        status_code=202,
        request_max_body_size=LARGEST,
    )
    async def output_produced(self, request: Request[Any, Any, Any]) -> Answer:
        """Let an image wait for its turn to be the newest of its job and task."""
        manager, worker = manager_of(request), worker_of(request)
        task = path_id(request, "task_id")
        _check_head(request)
        job = await _job_of(manager, worker, task)
        image = await request.body()
        upload = Upload(job=job, task=task, kind=_checked_kind(image), image=image)
        if not manager.last_rendered.offer(upload):
            raise HTTPException(
                "too many images of other jobs are waiting; send the next one later",
                status_code=429,
                headers={"Retry-After": "5"},
            )
        return empty(202)


async def _job_of(manager: Manager, worker: str, task: str) -> str:
    row = await manager.database.read(task_rows.task_by_uuid, task)
    if row.worker_uuid != worker:
        raise StaleMessage(f"task {task} is not assigned to you (any more)")
    return str(row.job_uuid)


def _check_head(request: Request[Any, Any, Any]) -> None:
    """Refuse by what is said before the image itself is read."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or not int(length):
        raise HTTPException("the image has no length", status_code=411)
    if int(length) > LARGEST:
        raise HTTPException(f"an image has at most {LARGEST} bytes", status_code=413)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in KINDS:
        raise _unsupported(repr(media_type))


def _checked_kind(image: bytes) -> str:
    # The content decides: what is called JPEG and is PNG can be shown all the same.
    kind = kind_of(image)
    if kind is None:
        raise _unsupported(name_of(image))
    size = size_of(image)
    if size is None:
        raise _unsupported(f"a broken {kind} that does not tell its size")
    if is_too_large(size):
        raise HTTPException(f"{size[0]} x {size[1]} pixels are too many", status_code=413)
    return kind


def _unsupported(what: str) -> HTTPException:
    text = f"an image must be {KNOWN}, not {what}; let the Worker send a preview"
    return HTTPException(text, status_code=415)


class ImageController(Controller):
    """Says where the newest images are; 204 where there is none."""

    path = "/api/v3"

    @get("/jobs/last-rendered", opt={"operation": "fetchGlobalLastRenderedInfo"})
    async def of_farm(self, request: Request[Any, Any, Any]) -> Answer:
        """Name the images of the job that got one last."""
        job = await manager_of(request).database.read(newest_image)
        return empty() if job is None else await _of_job(request, job)

    @get("/jobs/{job_id:str}/last-rendered", opt={"operation": "fetchJobLastRenderedInfo"})
    async def of_job(self, request: Request[Any, Any, Any]) -> Answer:
        """Name the images of a job; an unknown one has none."""
        return await _of_job(request, path_id(request, "job_id"))

    @get("/tasks/{task_id:str}/last-rendered", opt={"operation": "fetchTaskLastRenderedInfo"})
    async def of_task(self, request: Request[Any, Any, Any]) -> Answer:
        """Name the images of a task, and when they came."""
        manager, task = manager_of(request), path_id(request, "task_id")
        job = (await manager.database.read(task_rows.task_by_uuid, task)).job_uuid
        stored = await asyncio.to_thread(manager.last_rendered.files.stored_at, job, task)
        if stored is None:
            return empty()
        base = _root(request) + wire.image_base(job)
        names = [*wire.task_images(task)]
        return reply(
            wire.TaskLastRenderedImageInfo(base=base, suffixes=names, updated=rfc3339(stored))
        )


async def _of_job(request: Request[Any, Any, Any], job: str) -> Answer:
    files = manager_of(request).last_rendered.files
    if await asyncio.to_thread(files.stored_at, job) is None:
        return empty()
    return reply(wire.images_of_job(job, _root(request)))


def _root(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get("root_path", ""))
