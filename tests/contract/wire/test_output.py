"""Images that workers send while they render: which are taken, and in which order."""

from __future__ import annotations

import asyncio
import io
import struct

import pytest
from image_steps import (
    BLUE,
    JPEG,
    NOBODY,
    color_of,
    exr,
    folder,
    idle,
    picture,
    send,
)
from PIL import Image

from flamenco_core.manager.images import Upload
from flamenco_core.manager.images.shrinker import BrokenImage

LIMIT = 25 * 1024 * 1024
GARBAGE = b"garbage " * (LIMIT // 8)
HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBBI", 60_000, 60_000, 8, 2, 0, 0, 0, 0)


def giant_exr() -> bytes:
    image = bytearray(exr())
    at = image.index(b"dataWindow\0box2i\0") + 21 + 8
    image[at : at + 8] = b"\xff\xff\xff\x7f" * 2
    return bytes(image)


@pytest.mark.parametrize(
    ("image", "media_type", "status", "word"),
    [
        (JPEG, "image/gif", 415, "image/gif"),
        (JPEG, "image/tiff", 415, "JPEG, PNG, WebP or OpenEXR"),
        (JPEG, "", 415, "JPEG"),
        (b"", "image/jpeg", 411, "length"),
        (b"<script>", "image/jpeg", 415, "something else"),
        (b"v/1\x01\x02\0\0\0" + b"x" * 999, "image/x-exr", 415, "OpenEXR with a broken header"),
        (giant_exr(), "image/x-exr", 413, "2147483648 x 2147483648"),
        (GARBAGE, "image/png", 415, "something else"),
        (b"\xff\xd8\xff\xe0" + b"j" * 1000, "image/jpeg", 415, "broken JPEG"),
        (HUGE, "image/png", 413, "60000 x 60000"),
        (JPEG + b" " * LIMIT, "image/jpeg", 413, "25 megabytes (limits: image_megabytes)"),
    ],
)
async def test_what_cannot_be_shown_is_refused(
    api, at_work, image, media_type, status, word
) -> None:
    worker, task = at_work
    answer = await send(worker, task, image, media_type)
    assert answer.status_code == status
    assert word in answer.json()["message"]
    assert len(api.manager.last_rendered.slots) == 0
    assert not api.manager.logs.folder(task["job"]).exists()


async def test_the_content_decides_what_it_is(api, at_work, news) -> None:
    worker, task = at_work
    assert (await send(worker, task, picture("PNG", "blue"), "image/jpeg")).status_code == 202
    await news.next()
    assert await color_of(api, f"{folder(task)}/last-rendered.jpg") == BLUE


async def test_an_image_as_large_as_allowed_is_taken(api, at_work, news) -> None:
    worker, task = at_work
    image = JPEG + b" " * (LIMIT - len(JPEG))
    assert (await send(worker, task, image)).status_code == 202
    await news.next()


async def test_a_length_has_to_be_announced(at_work) -> None:
    worker, task = at_work

    async def image():
        yield JPEG

    assert (await send(worker, task, image())).status_code == 411


async def test_only_for_its_own_task(go_worker, at_work) -> None:
    worker, task = at_work
    other = await go_worker("other").join()
    assert (await send(other, task)).status_code == 409
    assert (await send(worker, NOBODY)).status_code == 404
    assert (await send(worker, "nonsense")).status_code == 400


async def test_a_broken_image_is_a_line_in_the_log(api, at_work, news, caplog) -> None:
    worker, task = at_work
    noise = Image.effect_noise((400, 300), 100)
    file = io.BytesIO()
    noise.save(file, "PNG")
    half = file.getvalue()[: file.tell() // 2]
    assert (await send(worker, task, half, "image/png")).status_code == 202
    other = Upload(job=NOBODY, task=NOBODY, kind="PNG", image=b"no image")
    api.manager.last_rendered.slots.put(other)
    images = api.manager.last_rendered
    await idle(api)
    assert images.broken == 2
    assert (await api.client.get(f"/api/v3/jobs/{task['job']}/last-rendered")).status_code == 204
    assert f"an image of task {task['uuid']} of job {task['job']} cannot be shown" in caplog.text
    # The next one is as welcome as ever.
    await send(worker, task)
    assert (await news.next()).job_id == task["job"]


class SlowShrinker:
    """Makes an image small when it is told to."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[bytes] = asyncio.Queue()
        self.go = asyncio.Event()

    async def shrink(self, kind: str, image: bytes) -> list[bytes]:
        self.seen.put_nowait(image)
        await self.go.wait()
        if image.startswith(b"broken"):
            raise BrokenImage("broken")
        return [image] * 3


async def test_a_job_that_floods_does_not_keep_others_waiting(api, begin, news) -> None:
    images = api.manager.last_rendered
    images.shrinker = slow = SlowShrinker()
    started = [await begin(api, f"w{number}") for number in range(4)]
    workers, tasks = zip(*started, strict=True)
    flood = [picture(size=(n + 1, 9)) for n in range(40)]
    for image in flood[:20]:
        assert (await send(workers[0], tasks[0], image)).status_code == 202
    for worker, task in zip(workers[1:], tasks[1:], strict=True):
        assert (await send(worker, task)).status_code == 202
    for image in flood[20:]:
        assert (await send(workers[0], tasks[0], image)).status_code == 202
    slow.go.set()
    told = [(await news.next()).job_id for _ in range(5)]
    # Each of the quiet jobs, and of the flood the one at work and the newest.
    assert sorted(told) == sorted([tasks[0]["job"], *(task["job"] for task in tasks)])
    # Its newest is taken last; of two that are at work at once either may be told first.
    assert tasks[0]["job"] in told[3:]
    assert images.slots.dropped == 38
    newest = await api.client.get(f"{folder(tasks[0])}/last-rendered.jpg")
    assert newest.content == flood[-1]


async def test_when_too_much_waits_a_worker_hears_it(api, begin, news) -> None:
    images = api.manager.last_rendered
    images.shrinker = slow = SlowShrinker()
    for number in range(2):
        images.slots.put(Upload(job=f"j{number}", task="t", kind="PNG", image=b"broken"))
    async with asyncio.timeout(20):
        assert [await slow.seen.get() for _ in range(2)] == [b"broken"] * 2
    images.slots._most = len(JPEG) + 2 * len(b"broken")
    started = [await begin(api, f"w{number}") for number in range(2)]
    workers, tasks = zip(*started, strict=True)
    assert (await send(workers[0], tasks[0])).status_code == 202
    answer = await send(workers[1], tasks[1])
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    assert images.slots.refused == 1
    # Its own older image makes room for a newer one.
    assert (await send(workers[0], tasks[0])).status_code == 202
    slow.go.set()
    assert (await news.next()).job_id == tasks[0]["job"]
    await idle(api)
    assert (await send(workers[1], tasks[1])).status_code == 202
    assert (await news.next()).job_id == tasks[1]["job"]


async def test_without_its_decoder_an_exr_is_refused_with_the_cure(api, at_work, news) -> None:
    worker, task = at_work
    api.manager.last_rendered.reads_exr = False
    answer = await send(worker, task, exr(), "image/x-exr")
    assert answer.status_code == 415
    assert "pip install 'flamenco-core[exr]'" in answer.json()["message"]
    assert (await send(worker, task)).status_code == 202
    await news.next()


@pytest.mark.parametrize(
    ("frame", "status"), [("x", 400), ("", 400), ("9" * 5000, 400), ("-3", 202)]
)
async def test_a_frame_is_a_number(api, at_work, frame, status) -> None:
    worker, task = at_work
    answer = await send(worker, task, frame=frame)
    assert answer.status_code == status
    await idle(api)


async def test_an_upload_that_breaks_off_gives_back_its_room(api, at_work) -> None:
    worker, task = at_work
    slots = api.manager.last_rendered.slots
    for image in (b"<script>", HUGE, exr()[:200]):
        assert (await send(worker, task, image, "image/png")).status_code in {413, 415}
    assert (slots._bytes, len(slots)) == (0, 0)
