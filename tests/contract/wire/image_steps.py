"""What the tests of images share: drawing, sending, and waiting until they are told."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import numpy as np
import OpenEXR
from PIL import Image

from flamenco_core.domain.events import ImageFacts, LastRenderedChanged

NOBODY = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
NAMES = ["last-rendered.jpg", "last-rendered-small.jpg", "last-rendered-tiny.jpg"]
RED, LIME, BLUE = (1, 0, 0), (0, 1, 0), (0, 0, 1)


def picture(format: str = "JPEG", color: str = "red", size: tuple[int, int] = (320, 180)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, format)
    return file.getvalue()


def exr(size: tuple[int, int] = (320, 180), **light: float) -> bytes:
    file, shape = io.BytesIO(), size[::-1]
    channels = {name: np.full(shape, light.get(name, 0.0), np.float16) for name in "RGB"}
    OpenEXR.File({}, channels).write(file)
    return file.getvalue()


JPEG = picture()


async def send(worker, task, image: object = JPEG, media_type: str = "image/jpeg", frame=None):
    task = task if isinstance(task, str) else task["uuid"]
    query = "" if frame is None else f"?frame={frame}"
    return await worker.client.post(
        f"/api/v3/worker/task/{task}/output-produced{query}",
        content=image,
        headers={"Authorization": worker.auth, "Content-Type": media_type},
    )


class Shown:
    """The images that are told of while this is open."""

    def __init__(self, api: Any) -> None:
        self._bus = api.manager.bus
        self._events = self._bus.subscribe()

    async def next(self) -> ImageFacts:
        while True:
            numbered = await self._events.next(20)
            if isinstance(numbered.event, LastRenderedChanged):
                return numbered.event.image

    def close(self) -> None:
        self._bus.unsubscribe(self._events)


async def idle(api) -> None:
    async with asyncio.timeout(20):
        await api.manager.last_rendered.slots.idle()


def folder(task) -> str:
    return f"/job-files/job-{task['job'][:4]}/{task['job']}"


async def color_of(api, path: str) -> tuple[int, ...]:
    answer = await api.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    image = Image.open(io.BytesIO(answer.content))
    assert image.format == "JPEG"
    return tuple(round(value / 255) for value in image.getpixel((5, 5)))
