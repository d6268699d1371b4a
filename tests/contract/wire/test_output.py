"""Images that workers send while they render."""

from __future__ import annotations

import asyncio

import pytest

JPEG = b"\xff\xd8\xff\xe0" + b"j" * 1000
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 1000
LIMIT = 25 * 1024 * 1024


@pytest.fixture
async def at_work(go_worker, jobs):
    worker = await go_worker().join()
    await jobs(0)
    return worker, (await worker.ask()).json()


async def send(worker, task: str, image: object, media_type: str = "image/jpeg", **headers):
    return await worker.client.post(
        f"/api/v3/worker/task/{task}/output-produced",
        content=image,
        headers={"Authorization": worker.auth, "Content-Type": media_type, **headers},
    )


def folder(task) -> str:
    return f"/job-files/job-{task['job'][:4]}/{task['job']}"


async def test_the_newest_image_of_a_job_is_kept(api, at_work) -> None:
    worker, task = at_work
    assert (await send(worker, task["uuid"], JPEG)).status_code == 202
    answer = await api.client.get(f"{folder(task)}/last-rendered.jpg")
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert (await send(worker, task["uuid"], JPEG + b"2")).status_code == 202
    assert (await api.client.get(f"{folder(task)}/last-rendered.jpg")).content == JPEG + b"2"
    assert (await send(worker, task["uuid"], PNG, "image/png")).status_code == 202
    assert (await api.client.get(f"{folder(task)}/last-rendered.png")).content == PNG
    assert (await api.client.get(f"{folder(task)}/last-rendered.jpg")).status_code == 404


async def test_a_browser_does_not_take_it_for_a_page(api, at_work) -> None:
    worker, task = at_work
    await send(worker, task["uuid"], JPEG)
    headers = (await api.client.get(f"{folder(task)}/last-rendered.jpg")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox"


async def test_nothing_half_is_left_behind(api, at_work) -> None:
    worker, task = at_work
    sizes = range(5)
    await asyncio.gather(*(send(worker, task["uuid"], JPEG * (n + 1)) for n in sizes))
    files = list(api.manager.logs.folder(task["job"]).iterdir())
    assert [file.name for file in files] == ["last-rendered.jpg"]
    assert files[0].stat().st_size in {len(JPEG) * (n + 1) for n in sizes}


@pytest.mark.parametrize(
    ("image", "media_type", "status"),
    [
        (JPEG, "image/gif", 415),
        (JPEG, "application/json", 415),
        (JPEG, "", 415),
        (b"", "image/jpeg", 411),
        (b"<script>", "image/jpeg", 400),
        (JPEG, "image/png", 400),
        (JPEG + b" " * LIMIT, "image/jpeg", 413),
    ],
)
async def test_what_is_not_an_image_is_refused(api, at_work, image, media_type, status) -> None:
    worker, task = at_work
    assert (await send(worker, task["uuid"], image, media_type)).status_code == status
    assert not api.manager.logs.folder(task["job"]).exists()


async def test_an_image_as_large_as_allowed_is_taken(at_work) -> None:
    worker, task = at_work
    image = JPEG + b" " * (LIMIT - len(JPEG))
    assert (await send(worker, task["uuid"], image)).status_code == 202


async def test_a_length_has_to_be_announced(at_work) -> None:
    worker, task = at_work

    async def image():
        yield JPEG

    assert (await send(worker, task["uuid"], image())).status_code == 411


async def test_only_for_its_own_task(api, go_worker, at_work) -> None:
    worker, task = at_work
    other = await go_worker("other").join()
    assert (await send(other, task["uuid"], JPEG)).status_code == 409
    nobody = "1f2c5e74-7c8e-4a51-8c5d-111111111111"
    assert (await send(worker, nobody, JPEG)).status_code == 404
    assert (await send(worker, "nonsense", JPEG)).status_code == 400
