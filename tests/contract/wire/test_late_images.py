"""Images that come when their job is over, or going, or gone."""

from __future__ import annotations

import asyncio

import pytest
from image_steps import JPEG, NOBODY, idle, send
from sqlalchemy import func, select

from flamenco_core.manager.images import Upload
from flamenco_core.manager.store.image_tables import images
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.usecases.delete import request_deletion

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)


class HeldShrinker:
    """Makes an image small when it is told to."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def shrink(self, kind: str, image: bytes) -> list[bytes]:
        self.begun.set()
        await self.go.wait()
        return [image] * 3


async def rows(api) -> int:
    count = Query(select(func.count()).select_from(images))
    return await api.manager.database.read(lambda tx: tx.value(count))


async def nothing_is_left(api, job: str) -> bool:
    assert (await api.client.get(f"/api/v3/jobs/{job}/last-rendered")).status_code == 204
    assert (await api.client.get("/api/v3/jobs/last-rendered")).status_code == 204
    return not api.manager.logs.folder(job).exists() and await rows(api) == 0


async def test_a_finished_task_may_still_show_its_last_image(api, at_work, news) -> None:
    worker, task = at_work
    await worker.update(task, taskStatus="completed")
    assert (await send(worker, task)).status_code == 202
    assert (await news.next()).task_id == task["uuid"]


async def test_an_image_for_a_job_that_is_being_deleted_leaves_nothing(api, at_work) -> None:
    worker, task = at_work
    await api.manager.database.write(request_deletion, task["job"])
    assert (await send(worker, task)).status_code == 202
    await idle(api)
    assert await nothing_is_left(api, task["job"])


async def test_a_job_is_deleted_with_its_images(api, at_work, news) -> None:
    worker, task = at_work
    await send(worker, task)
    await news.next()
    assert await rows(api) == 1
    await api.client.delete(f"/api/v3/jobs/{task['job']}")
    await api.manager.deletion.delete_marked()
    assert await nothing_is_left(api, task["job"])
    history = await api.client.get(f"/api/v3/jobs/{task['job']}/last-rendered/history")
    assert history.status_code == 404


@pytest.mark.parametrize("before", [True, False], ids=["marked", "gone"])
async def test_an_image_at_work_while_its_job_is_deleted_leaves_nothing(
    api, at_work, before
) -> None:
    worker, task = at_work
    api.manager.last_rendered.shrinker = held = HeldShrinker()
    await send(worker, task)
    await held.begun.wait()
    await api.client.delete(f"/api/v3/jobs/{task['job']}")
    if before:
        held.go.set()
        await idle(api)
    await api.manager.deletion.delete_marked()
    held.go.set()
    await idle(api)
    assert await nothing_is_left(api, task["job"])


async def test_an_image_for_a_job_that_is_gone_leaves_nothing(api, at_work, news) -> None:
    worker, task = at_work
    api.manager.last_rendered.slots.put(Upload(job=NOBODY, task=NOBODY, kind="JPEG", image=JPEG))
    await idle(api)
    assert not api.manager.logs.folder(NOBODY).parent.exists()
    await send(worker, task)
    assert (await news.next()).job_id == task["job"]


async def test_a_full_disk_costs_an_image_and_not_the_older_ones(
    api, at_work, news, monkeypatch, caplog
) -> None:
    worker, task = at_work
    await send(worker, task)
    first = await news.next()
    files = api.manager.last_rendered.files

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(files, "store", full)
        await send(worker, task)
        await idle(api)
    assert "No space left on device" in caplog.text
    info = (await api.client.get(f"/api/v3/tasks/{task['uuid']}/last-rendered")).json()
    assert first.id in info["suffixes"][0]
    assert (await api.client.get(f"/api/v3/jobs/{task['job']}/last-rendered")).status_code == 200
    # The pool goes on.
    await send(worker, task)
    assert (await news.next()).task_id == task["uuid"]


async def test_a_database_that_fails_does_not_end_the_pool(
    api, at_work, news, monkeypatch, caplog
) -> None:
    worker, task = at_work
    write = api.manager.database.write

    async def away(*_: object) -> None:
        raise RuntimeError("the database is away")

    for _ in range(3):
        with monkeypatch.context() as broken:
            broken.setattr(api.manager.database, "write", away)
            assert (await send(worker, task)).status_code == 202
            await idle(api)
    assert api.manager.database.write == write
    assert "the database is away" in caplog.text
    assert [path.name for path in api.manager.logs.folder(task["job"]).glob("image-*")] == []
    await send(worker, task)
    assert (await news.next()).job_id == task["job"]
