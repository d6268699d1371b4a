"""The files of jobs: logs of tasks, and the newest images."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, cast

from litestar import Controller, get
from litestar.types import ASGIApp

from flamenco_core.errors import BadRequest, NotFound
from flamenco_core.manager.http.plumbing import Answer, Request, Stream, manager_of, path_id
from flamenco_core.manager.images.files import ImageFile
from flamenco_core.manager.log_view import log_blocks
from flamenco_core.manager.usecases.read_log import plan_log
from flamenco_core.offers.operations import Raw, operation

__all__ = ["JobFileController"]

SAFE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
"""These files are other people's: a browser must not take them for a page of ours."""

LASTING = "private, max-age=31536000, immutable"
CHANGING = "no-cache"
"""Kept by browsers, but asked for again: the address stays when the image changes."""


FILE = {200: Raw("text/plain", "image/jpeg"), 304: None}


class JobFileController(Controller):
    """Logs and images of jobs, at the addresses that Flamenco's clients know."""

    path = "/job-files/{folder:str}/{job_id:str}/{name:str}"
    tags = ["jobs"]

    @get("/", opt=operation("fetchJobFile", FILE))
    async def job_file(self, request: Request[Any, Any, Any]) -> ASGIApp:
        """Return a task's whole log, or an image of a job."""
        try:
            job = path_id(request, "job_id")
            if request.path_params["folder"] != f"job-{job[:4]}":
                raise BadRequest("a job's folder begins with its id")
            return await _image(request, job) or cast("ASGIApp", await _log(request, job))
        except BadRequest as error:
            raise NotFound(f"there is no file {request.scope['path']}") from error


async def _image(request: Request[Any, Any, Any], job: str) -> Answer | None:
    files, name = manager_of(request).last_rendered.files, request.path_params["name"]
    image = await asyncio.to_thread(files.read, job, name)
    if image is None:
        return None
    headers = SAFE | {
        "Cache-Control": LASTING if image.lasting else CHANGING,
        "ETag": image.tag,
        "Last-Modified": formatdate(_seconds(image), usegmt=True),
    }
    if _is_known(request, image):
        return Answer(b"", 304, headers=headers)
    return Answer(image.data, media_type="image/jpeg", headers=headers)


def _is_known(request: Request[Any, Any, Any], image: ImageFile) -> bool:
    """Say whether the client has this image already."""
    if tags := request.headers.get("if-none-match"):
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return image.tag in known or "*" in known
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
        return _seconds(image) <= since.timestamp()
    except (ValueError, OverflowError):
        return False


def _seconds(image: ImageFile) -> int:
    return image.modified // 1_000_000_000


async def _log(request: Request[Any, Any, Any], job: str) -> Stream:
    manager, name = manager_of(request), request.path_params["name"]
    request.path_params["task"] = name.removeprefix("task-").removesuffix(".txt")
    task = path_id(request, "task")
    plan = await manager.database.read(plan_log, task, manager.command_words.lines)
    if plan.job_id != job or name != f"task-{plan.task_id}.txt":
        raise NotFound(f"there is no file {name!r} of job {job}")

    def blocks() -> Iterator[bytes]:
        yield from log_blocks(manager.logs, plan)

    headers = SAFE | {
        "Content-Disposition": f'inline; filename="{name}"',
        "Content-Type": "text/plain; charset=UTF-8",
    }
    return Stream(blocks(), headers=headers)
