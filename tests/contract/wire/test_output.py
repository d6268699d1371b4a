"""Images that workers send while they render, and what is shown of them."""

from __future__ import annotations

import asyncio
import io
import struct
from contextlib import asynccontextmanager

import pytest
from PIL import Image
from sqlalchemy import update

from flamenco_core.domain.events import LastRenderedChanged
from flamenco_core.manager.images import Upload
from flamenco_core.manager.images.shrink import BrokenImage
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import jobs as jobs_table

LIMIT = 25 * 1024 * 1024
NOBODY = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
NAMES = ["last-rendered.jpg", "last-rendered-small.jpg", "last-rendered-tiny.jpg"]
HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBBI", 60_000, 60_000, 8, 2, 0, 0, 0, 0)


def picture(format: str = "JPEG", color: str = "red", size: tuple[int, int] = (320, 180)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, format)
    return file.getvalue()


JPEG = picture()


@pytest.fixture
async def at_work(api, begin):
    return await begin(api)


async def send(worker, task, image: object = JPEG, media_type: str = "image/jpeg", **headers):
    task = task if isinstance(task, str) else task["uuid"]
    return await worker.client.post(
        f"/api/v3/worker/task/{task}/output-produced",
        content=image,
        headers={"Authorization": worker.auth, "Content-Type": media_type, **headers},
    )


class Shown:
    """The images that are told of while this is open."""

    def __init__(self, api) -> None:
        self._events = api.manager.bus.subscribe()

    async def next(self) -> LastRenderedChanged:
        while True:
            numbered = await self._events.next(20)
            if isinstance(numbered.event, LastRenderedChanged):
                return numbered.event


@asynccontextmanager
async def shown(api):
    found = Shown(api)
    try:
        yield found
    finally:
        api.manager.bus.unsubscribe(found._events)


@pytest.fixture
async def news(api):
    async with shown(api) as found:
        yield found


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


RED, LIME, BLUE = (1, 0, 0), (0, 1, 0), (0, 0, 1)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
async def test_the_newest_image_is_shown_in_three_sizes(api, at_work, news, format) -> None:
    worker, task = at_work
    image = picture(format, "lime", (2400, 1350))
    assert (await send(worker, task, image, f"image/{format.lower()}")).status_code == 202
    event = await news.next()
    assert event == LastRenderedChanged(job_id=task["job"], task_id=task["uuid"])
    info = (await api.client.get(f"/api/v3/jobs/{task['job']}/last-rendered")).json()
    assert info == {"base": folder(task), "suffixes": NAMES}
    sizes = []
    for name in info["suffixes"]:
        answer = await api.client.get(f"{info['base']}/{name}?1234")
        sizes.append(Image.open(io.BytesIO(answer.content)).size)
        assert await color_of(api, f"{info['base']}/{name}") == LIME
    assert sizes == [(1920, 1080), (600, 338), (199, 112)]


async def test_a_newer_image_takes_its_place(api, at_work, news) -> None:
    worker, task = at_work
    for color, seen in (("red", RED), ("blue", BLUE)):
        await send(worker, task, picture("PNG", color), "image/png")
        await news.next()
        assert await color_of(api, f"{folder(task)}/last-rendered.jpg") == seen
    names = sorted(path.name for path in api.manager.logs.folder(task["job"]).iterdir())
    tasks = [f"task-{task['uuid']}-last-rendered-{size}.jpg" for size in ("small", "tiny")]
    assert names == sorted(NAMES + tasks)


@pytest.mark.parametrize("database", [None, "postgresql"], indirect=True)
async def test_the_farm_shows_the_job_that_got_one_last(api, begin, news) -> None:
    job_ids = []
    address = "/api/v3/jobs/last-rendered"
    assert (await api.client.get(address)).status_code == 204
    for number in range(2):
        worker, task = await begin(api, f"w{number}")
        await send(worker, task)
        await news.next()
        info = (await api.client.get(address)).json()
        assert info == {"base": folder(task), "suffixes": NAMES}
        job_ids.append(task["job"])
    assert len(set(job_ids)) == 2


async def test_each_task_keeps_its_own(api, go_worker, jobs, news) -> None:
    await jobs(1)
    worker = await go_worker().join()
    tasks = []
    for color in ("red", "blue"):
        task = (await worker.ask()).json()
        await send(worker, task, picture(color=color))
        await news.next()
        await worker.update(task, taskStatus="completed")
        tasks.append(task)
    assert tasks[0]["job"] == tasks[1]["job"]
    for task, seen in zip(tasks, (RED, BLUE), strict=True):
        info = (await api.client.get(f"/api/v3/tasks/{task['uuid']}/last-rendered")).json()
        start = f"task-{task['uuid']}-last-rendered"
        assert info.pop("updated").endswith("Z")
        assert info == {
            "base": folder(task),
            "suffixes": [f"{start}-small.jpg", f"{start}-tiny.jpg"],
        }
        for name in info["suffixes"]:
            assert await color_of(api, f"{info['base']}/{name}") == seen


async def test_without_an_image_there_is_none(api, at_work) -> None:
    _, task = at_work
    for id, status in ((task["job"], 204), (NOBODY, 204), ("nonsense", 400)):
        answer = await api.client.get(f"/api/v3/jobs/{id}/last-rendered")
        assert answer.status_code == status
    for id, status in ((task["uuid"], 204), (NOBODY, 404), ("nonsense", 400)):
        answer = await api.client.get(f"/api/v3/tasks/{id}/last-rendered")
        assert answer.status_code == status
    for name in (*NAMES, "last-rendered.png", "x.jpg"):
        assert (await api.client.get(f"{folder(task)}/{name}")).status_code == 404


async def test_when_the_files_are_gone_there_is_none(api, at_work, news) -> None:
    worker, task = at_work
    await send(worker, task)
    await news.next()
    (api.manager.logs.folder(task["job"]) / "last-rendered-tiny.jpg").unlink()
    for job in (task["job"], None):
        path = f"/api/v3/jobs/{job}/last-rendered" if job else "/api/v3/jobs/last-rendered"
        assert (await api.client.get(path)).status_code == 204


async def test_a_browser_keeps_it_and_asks_again(api, at_work, news) -> None:
    worker, task = at_work
    path = f"{folder(task)}/last-rendered.jpg"
    await send(worker, task)
    await news.next()
    first = await api.client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"x", W/{tag}'},
        {"If-Modified-Since": modified},
    ):
        again = await api.client.get(path, headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    for headers in (
        {"If-None-Match": '"x"', "If-Modified-Since": modified},
        {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If-Modified-Since": "the other day"},
    ):
        again = await api.client.get(path, headers=headers)
        assert (again.status_code, again.content) == (200, first.content)
    await send(worker, task, picture(color="blue"))
    await news.next()
    assert (await api.client.get(path, headers={"If-None-Match": tag})).status_code == 200


async def test_a_browser_does_not_take_it_for_a_page(api, at_work, news) -> None:
    worker, task = at_work
    await send(worker, task)
    await news.next()
    headers = (await api.client.get(f"{folder(task)}/last-rendered.jpg")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox"
    wrong = folder(task).replace(f"job-{task['job'][:4]}", "job-0000")
    assert (await api.client.get(f"{wrong}/last-rendered.jpg")).status_code == 404


@pytest.mark.parametrize(
    ("image", "media_type", "status", "word"),
    [
        (JPEG, "image/gif", 415, "image/gif"),
        (JPEG, "image/x-exr", 415, "JPEG, PNG or WebP"),
        (JPEG, "", 415, "JPEG"),
        (b"", "image/jpeg", 411, "length"),
        (b"<script>", "image/jpeg", 415, "something else"),
        (b"v/1\x01\x02\0\0\0" + b"x" * 999, "image/jpeg", 415, "OpenEXR"),
        (b"\xff\xd8\xff\xe0" + b"j" * 1000, "image/jpeg", 415, "broken JPEG"),
        (HUGE, "image/png", 413, "60000 x 60000"),
        (JPEG + b" " * LIMIT, "image/jpeg", 413, str(LIMIT)),
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
    assert api.manager.last_rendered.offer(other)
    images = api.manager.last_rendered
    await idle(api)
    assert images.broken == 2
    assert (await api.client.get(f"/api/v3/jobs/{task['job']}/last-rendered")).status_code == 204
    assert f"an image of task {task['uuid']} of job {task['job']} cannot be shown" in caplog.text
    # The next one is as welcome as ever.
    await send(worker, task)
    assert (await news.next()).job_id == task["job"]


async def test_an_image_for_a_job_that_is_being_deleted_leaves_nothing(api, at_work) -> None:
    worker, task = at_work
    mark = Query(update(jobs_table).values(delete_requested_at=1))
    await api.manager.database.write(lambda tx: tx.run(mark))
    await send(worker, task)
    await idle(api)
    assert not api.manager.logs.folder(task["job"]).exists()
    assert (await api.client.get("/api/v3/jobs/last-rendered")).status_code == 204


async def test_an_image_for_a_job_that_is_gone_leaves_nothing(api, at_work, news) -> None:
    worker, task = at_work
    images = api.manager.last_rendered
    assert images.offer(Upload(job=NOBODY, task=NOBODY, kind="JPEG", image=JPEG))
    await idle(api)
    assert not api.manager.logs.folder(NOBODY).parent.exists()
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
        assert images.offer(Upload(job=f"j{number}", task="t", kind="PNG", image=b"broken"))
    async with asyncio.timeout(20):
        assert [await slow.seen.get() for _ in range(2)] == [b"broken"] * 2
    images.slots._most = len(JPEG)
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
    assert (await send(workers[1], tasks[1])).status_code == 202
    assert (await news.next()).job_id == tasks[1]["job"]


async def test_it_is_known_again_after_a_restart(manager, begin) -> None:
    async with manager() as api:
        worker, task = await begin(api)
        async with shown(api) as news:
            await send(worker, task)
            await news.next()
    async with manager() as api:
        expected = {"base": folder(task), "suffixes": NAMES}
        for path in (f"jobs/{task['job']}", "jobs"):
            assert (await api.client.get(f"/api/v3/{path}/last-rendered")).json() == expected
        assert await color_of(api, f"{folder(task)}/last-rendered-small.jpg") == RED


async def test_a_manager_stops_while_it_looks_at_an_image(manager, begin) -> None:
    async with manager() as api:
        worker, task = await begin(api)
        api.manager.last_rendered.shrinker = slow = SlowShrinker()
        await send(worker, task)
        async with asyncio.timeout(20):
            assert await slow.seen.get() == JPEG
    assert not api.manager.logs.folder(task["job"]).exists()
