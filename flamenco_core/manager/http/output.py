"""Takes images of running tasks from their workers."""

from __future__ import annotations

from typing import Any

from litestar import Controller, post
from litestar.exceptions import HTTPException

from flamenco_core.errors import BadRequest, Busy, NotFound, StaleMessage
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    empty,
    manager_of,
    path_id,
    worker_of,
)
from flamenco_core.manager.images import LastRendered, Upload
from flamenco_core.manager.intake import BODY
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.offers.operations import Raw, operation
from flamenco_core.pictures.kinds import MEDIA_TYPES, TooLarge, Unknown, checked_kind

__all__ = ["OutputController"]

MOST_FRAMES = 2**31
RETRY = {"Retry-After": "5"}
PREVIEW = "or let Blender save a preview beside it"
NO_EXR = f"pip install 'flamenco-core[exr]' where the Manager runs, {PREVIEW}"


class OutputController(Controller):
    """Takes images of running tasks."""

    path = "/api/v3/worker/task/{task_id:str}/output-produced"
    tags = ["worker"]

    @post(
        "/",
        opt=operation(
            "taskOutputProduced", {202: None}, takes=Raw(*MEDIA_TYPES), refuses=[409, 411, 415, 429]
        )
        | {BODY: "image"},
        status_code=202,
    )
    async def output_produced(self, request: Request[Any, Any, Any]) -> Answer:
        """Let an image wait for its turn to be the newest; ``?frame=12`` says of what."""
        manager, worker = manager_of(request), worker_of(request)
        task, frame = path_id(request, "task_id"), _frame_of(request)
        length = _checked_length(request)
        try:
            job = await _job_of(manager, worker, task)
        except NotFound:
            await manager.trials.check_own(worker, task)
            return empty(202)  # its picture is taken from the storage
        manager.silence.heard(task)
        images = manager.last_rendered
        try:
            with images.slots.room(job, length):
                image = await request.body()
                kind = _checked_kind(images, image)
                images.slots.put(Upload(job=job, task=task, kind=kind, image=image, frame=frame))
        except Busy as error:
            raise HTTPException(str(error), status_code=429, headers=RETRY) from error
        return empty(202)


def _frame_of(request: Request[Any, Any, Any]) -> int | None:
    text = request.query_params.get("frame")
    if text is None:
        return None
    try:
        frame = int(text)
    except ValueError:
        frame = MOST_FRAMES
    if not -MOST_FRAMES < frame < MOST_FRAMES:
        raise BadRequest(f"frame={text[:20]!r} is not the number of a frame")
    return frame


def _checked_length(request: Request[Any, Any, Any]) -> int:
    """Return the length of an image; refuse what says nothing of it, or of its kind."""
    text = request.headers.get("content-length", "")
    if not text.isdecimal() or not int(text):
        raise HTTPException("the image has no length", status_code=411)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise _unsupported(repr(media_type))
    return int(text)


async def _job_of(manager: Manager, worker: str, task: str) -> str:
    row = await manager.database.read(task_rows.task_by_uuid, task)
    if row.worker_uuid != worker:
        raise StaleMessage(f"task {task} is not assigned to you (any more)")
    return str(row.job_uuid)


def _checked_kind(images: LastRendered, image: bytes) -> str:
    # The content decides: what is called JPEG and is PNG can be shown all the same.
    try:
        kind = checked_kind(image)
    except Unknown as error:
        raise _unsupported(str(error)) from error
    except TooLarge as error:
        raise HTTPException(f"{error}; send a smaller image", status_code=413) from error
    if kind == "EXR" and not images.reads_exr:
        raise HTTPException(f"OpenEXR cannot be read here: {NO_EXR}", status_code=415)
    return kind


def _unsupported(what: str) -> HTTPException:
    text = f"an image must be JPEG, PNG, WebP or OpenEXR, not {what}; send one of these"
    return HTTPException(text, status_code=415)
