from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from flamenco_core.testing import FakeManager
from flamenco_core.worker.client import ManagerClient
from flamenco_core.worker.uploads import MOST_BYTES, Uploads

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
            uploads.offer(f"task-{number}", str(path))
        await anyio.wait_all_tasks_blocked()
        while manager.count("output") == 0 and paths[-1].exists():
            with anyio.move_on_after(0.2):
                await manager.until(lambda: manager.count("output"))
            break
        uploads.offer("good", str(good))
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
    ],
)
async def test_images_are_sent_as_they_are(
    manager: FakeManager, tmp_path: Path, content: bytes, kind: str
) -> None:
    # The content decides, not the name.
    image = tmp_path / "frame.exr"
    image.write_bytes(content)
    assert await shown(manager, image) == [("task-0", kind)]
    assert manager.images[0][2] == content


@pytest.mark.parametrize("content", [b"v/1\x01 an EXR", b"", b"\x89PN", b"RIFF....WAVE"])
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
        file.truncate(MOST_BYTES)
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
