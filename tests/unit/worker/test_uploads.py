from __future__ import annotations

from pathlib import Path

import anyio
import httpx
import pytest

from flamenco_core.testing import FakeManager
from flamenco_core.worker.client import ManagerClient
from flamenco_core.worker.uploads import MOST_BYTES, Rendered, Uploads

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff\xe0"


@pytest.fixture
def manager() -> FakeManager:
    return FakeManager()


async def shown(manager: FakeManager, *paths: Path) -> list[tuple[str, str]]:
    """Offer the files all at once, then one that is known to be good."""
    good = paths[0].with_name("good.png")
    good.write_bytes(PNG + b"good")
    client = ManagerClient("http://m", transport=manager)
    uploads = Uploads(client)
    async with anyio.create_task_group() as group:
        group.start_soon(uploads.run)
        for number, path in enumerate(paths):
            uploads.offer(Rendered(f"task-{number}", str(path)))
        await anyio.wait_all_tasks_blocked()
        while manager.count("output") == 0 and paths[-1].exists():
            with anyio.move_on_after(0.2):
                await manager.until(lambda: manager.count("output"))
            break
        uploads.offer(Rendered("good", str(good)))
        await manager.until(lambda: any(task == "good" for task, *_ in manager.images))
        group.cancel_scope.cancel()
    await client.close()
    return [(task, kind) for task, kind, _ in manager.images if task != "good"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG + b"x", "image/png"),
        (JPEG + b"x", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 x", "image/webp"),
        (b"v/1\x01\x02\0\0\0x", "image/x-exr"),
    ],
)
async def test_images_are_sent_as_they_are(
    manager: FakeManager, tmp_path: Path, content: bytes, kind: str
) -> None:
    # The content decides, not the name.
    image = tmp_path / "frame.tif"
    image.write_bytes(content)
    assert await shown(manager, image) == [("task-0", kind)]
    assert manager.images[0][2] == content


@pytest.mark.parametrize("content", [b"II*\0 a TIFF", b"", b"\x89PN", b"RIFF....WAVE"])
async def test_what_cannot_be_shown_is_skipped(
    manager: FakeManager, tmp_path: Path, content: bytes
) -> None:
    image = tmp_path / "frame.png"
    image.write_bytes(content)
    assert await shown(manager, image) == []


async def test_an_image_that_is_too_large_is_skipped(manager: FakeManager, tmp_path: Path) -> None:
    image = tmp_path / "frame.png"
    with image.open("wb") as file:
        file.write(PNG)
        file.truncate(MOST_BYTES + 1)
    assert await shown(manager, image) == []


async def test_a_file_that_is_gone_is_no_trouble(manager: FakeManager, tmp_path: Path) -> None:
    assert await shown(manager, tmp_path / "gone.png") == []


async def test_only_the_newest_waits(manager: FakeManager, tmp_path: Path) -> None:
    images = [tmp_path / f"{n}.png" for n in range(5)]
    for image in images:
        image.write_bytes(PNG)
    assert await shown(manager, *images) == [("task-4", "image/png")]


@pytest.mark.parametrize("status", [403, 413, 415, 429, 500])
async def test_a_refused_image_is_forgotten(
    manager: FakeManager, tmp_path: Path, status: int
) -> None:
    image = tmp_path / "frame.png"
    image.write_bytes(PNG)
    manager.trouble("output", status)
    assert await shown(manager, image) == []


async def test_what_the_manager_cannot_show_is_sent_once_for_a_task(
    manager: FakeManager, tmp_path: Path
) -> None:
    exr, png = tmp_path / "frame.exr", tmp_path / "frame.png"
    exr.write_bytes(b"v/1\x01")
    png.write_bytes(PNG)
    manager.trouble("output", 415)
    uploads = Uploads(ManagerClient("http://m", transport=manager))
    for task, path in (("a", exr), ("a", exr), ("a", png), ("b", exr), ("a", exr)):
        await uploads._upload(Rendered(task, str(path)))
    assert manager.count("output") == 3
    sent = [(task, kind) for task, kind, _ in manager.images]
    assert sent == [("a", "image/png"), ("b", "image/x-exr")]


async def test_a_manager_that_is_busy_gets_the_next_one(
    manager: FakeManager, tmp_path: Path
) -> None:
    png = tmp_path / "frame.png"
    png.write_bytes(PNG)
    manager.trouble("output", 429)
    uploads = Uploads(ManagerClient("http://m", transport=manager))
    for _ in range(2):
        await uploads._upload(Rendered("a", str(png)))
    assert len(manager.images) == 1


class Watched(FakeManager):
    """Keeps what was asked for behind the path."""

    query: bytes = b"?"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.query = request.url.query
        return await super().handle_async_request(request)


@pytest.mark.parametrize(("frame", "query"), [(12, b"frame=12"), (-1, b"frame=-1"), (None, b"")])
async def test_the_frame_is_told_if_it_is_known(
    tmp_path: Path, frame: int | None, query: bytes
) -> None:
    manager, png = Watched(), tmp_path / "frame.png"
    png.write_bytes(PNG)
    uploads = Uploads(ManagerClient("http://m", transport=manager))
    await uploads._upload(Rendered("a", str(png), frame))
    assert (len(manager.images), manager.query) == (1, query)
