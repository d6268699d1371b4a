"""Where images are shown: of the farm, of jobs and of tasks; what is kept of them."""

from __future__ import annotations

import asyncio
import io
import random

import attrs
import pytest
from image_steps import BLUE, LIME, NAMES, NOBODY, RED, color_of, exr, folder, picture, send
from PIL import Image

from flamenco_core.clock import rfc3339
from flamenco_core.manager.store import images as image_rows
from flamenco_core.manager.usecases.newest_image import NewImage, remember_image

BOTH = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
async def test_the_newest_image_is_shown_in_three_sizes(api, at_work, news, format) -> None:
    worker, task = at_work
    image = picture(format, "lime", (2400, 1350))
    assert (await send(worker, task, image, f"image/{format.lower()}")).status_code == 202
    image = await news.next()
    assert (image.job_id, image.task_id) == (task["job"], task["uuid"])
    info = (await api.client.get(f"/api/v3/jobs/{task['job']}/last-rendered")).json()
    assert info == {
        "base": folder(task),
        "suffixes": NAMES,
        "task_id": task["uuid"],
        "updated": rfc3339(image.stored_at),
    }
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


async def test_the_light_of_a_scene_is_shown_as_blender_would(api, at_work, news) -> None:
    worker, task = at_work
    image = exr((2400, 1350), R=0.18, G=0.18, B=0.18)
    assert (await send(worker, task, image, "image/x-exr")).status_code == 202
    await news.next()
    answer = await api.client.get(f"{folder(task)}/last-rendered.jpg")
    shown = Image.open(io.BytesIO(answer.content))
    assert shown.size == (1920, 1080)
    assert all(abs(value - 118) <= 1 for value in shown.getpixel((5, 5)))


@BOTH
async def test_the_farm_shows_the_job_that_got_one_last(api, begin, news) -> None:
    job_ids = []
    address = "/api/v3/jobs/last-rendered"
    assert (await api.client.get(address)).status_code == 204
    for number in range(2):
        worker, task = await begin(api, f"w{number}")
        await send(worker, task)
        await news.next()
        info = (await api.client.get(address)).json()
        assert (info["base"], info["suffixes"]) == (folder(task), NAMES)
        job_ids.append(task["job"])
    assert len(set(job_ids)) == 2


@BOTH
async def test_each_task_keeps_its_own(api, go_worker, jobs, news) -> None:
    await jobs(1)
    worker = await go_worker().join()
    tasks, ids = [], []
    for frame, color in enumerate(("red", "blue"), 7):
        task = (await worker.ask()).json()
        await send(worker, task, picture(color=color), frame=frame)
        ids.append((await news.next()).id)
        await worker.update(task, taskStatus="completed")
        tasks.append(task)
    assert tasks[0]["job"] == tasks[1]["job"]
    for id, task, frame, seen in zip(ids, tasks, (7, 8), (RED, BLUE), strict=True):
        info = (await api.client.get(f"/api/v3/tasks/{task['uuid']}/last-rendered")).json()
        assert info.pop("updated").endswith("Z")
        assert info == {
            "base": folder(task),
            "suffixes": [f"image-{id}-small.jpg", f"image-{id}-tiny.jpg"],
            "task_id": task["uuid"],
            "frame": frame,
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
    for id, status in ((task["job"], 200), (NOBODY, 404), ("nonsense", 400)):
        answer = await api.client.get(f"/api/v3/jobs/{id}/last-rendered/history")
        assert answer.status_code == status
        assert status != 200 or answer.json() == {"images": []}
    for name in (*NAMES, f"image-{NOBODY}-tiny.jpg", "last-rendered.png", "x.jpg"):
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


@BOTH
async def test_the_last_images_of_a_job_are_its_history(api, at_work, news) -> None:
    worker, task = at_work
    api.manager.settings = attrs.evolve(api.manager.settings, last_rendered_history=3)
    for frame in range(5):
        await send(worker, task, picture(color="blue" if frame % 2 else "red"), frame=frame)
        await news.next()
    history = await api.client.get(f"/api/v3/jobs/{task['job']}/last-rendered/history")
    images = history.json()["images"]
    assert [image["frame"] for image in images] == [4, 3, 2]
    assert images == [image | {"base": folder(task)} for image in images]
    for image, seen in zip(images, (RED, BLUE, RED), strict=True):
        for suffix in image["suffixes"]:
            assert await color_of(api, f"{image['base']}/{suffix}") == seen
    # Of those before, the files are gone too.
    await until_files(api, task["job"], 3 + 2 * 3)


async def until_files(api, job: str, count: int) -> None:
    async with asyncio.timeout(20):
        await api.manager.last_rendered.slots.idle()
    assert len(list(api.manager.logs.folder(job).iterdir())) == count


@BOTH
@pytest.mark.parametrize("keep", [1, 4])
async def test_of_each_task_the_newest_stays(api, jobs, keep) -> None:
    job = await jobs(2)
    tasks = [
        task["id"] for task in (await api.client.get(f"/api/v3/jobs/{job}/tasks")).json()["tasks"]
    ]
    chance, made = random.Random(keep), []

    def names(tx) -> list[str]:
        return [row.uuid for row in image_rows.newest_in_job(tx, job, 99)]

    for number in range(30):
        task = chance.choice(tasks[: 1 + number % 3])
        new = NewImage(id=f"{number}", job=job, task=task, frame=None)
        before = await api.manager.database.read(names)
        gone = await api.manager.database.write(remember_image, new, keep)
        made.insert(0, new)
        newest = [next((one for one in made if one.task == task), None) for task in tasks]
        kept = [one.id for one in made if one in newest or one in made[:keep]]
        assert await api.manager.database.read(names) == kept
        assert sorted(gone) == sorted({*before, new.id} - {*kept})


async def test_what_never_changes_is_asked_for_once(api, at_work, news) -> None:
    worker, task = at_work
    await send(worker, task)
    name = f"image-{(await news.next()).id}-tiny.jpg"
    headers = (await api.client.get(f"{folder(task)}/{name}")).headers
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_browser_does_not_take_it_for_a_page(api, at_work, news) -> None:
    worker, task = at_work
    await send(worker, task)
    await news.next()
    headers = (await api.client.get(f"{folder(task)}/last-rendered.jpg")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox"
    wrong = folder(task).replace(f"job-{task['job'][:4]}", "job-0000")
    assert (await api.client.get(f"{wrong}/last-rendered.jpg")).status_code == 404
