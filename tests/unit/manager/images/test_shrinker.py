"""The real child process, with real images and with what is none."""

from __future__ import annotations

import asyncio
import io
import sys

import pytest
from PIL import Image

from flamenco_core.manager.images.kinds import size_of
from flamenco_core.manager.images.shrink import BrokenImage, Shrinker


@pytest.fixture
def shrinker() -> Shrinker:
    return Shrinker()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    image.load()
    return image


def about(image: Image.Image, color: tuple[int, int, int]) -> bool:
    found = image.getpixel((image.width // 2, image.height // 2))
    return all(abs(a - b) < 12 for a, b in zip(found, color, strict=True))


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((3840, 2160), [(1920, 1080), (600, 338), (199, 112)]),
        ((1000, 2000), [(540, 1080), (169, 338), (56, 112)]),
        ((300, 100), [(300, 100), (300, 100), (200, 67)]),
        ((100, 50), [(100, 50)] * 3),
        ((5000, 1), [(1920, 1), (600, 1), (200, 1)]),
    ],
)
async def test_it_fits_keeps_its_aspect_and_never_grows(shrinker, picture, size, sizes) -> None:
    made = await shrinker.shrink("PNG", picture("PNG", size))
    assert [opened(data).size for data in made] == sizes


@pytest.mark.parametrize(
    ("format", "mode", "color", "seen"),
    [
        ("JPEG", "RGB", (250, 120, 10), (250, 120, 10)),
        ("JPEG", "CMYK", (0, 0, 0, 0), (255, 255, 255)),
        ("JPEG", "L", 90, (90, 90, 90)),
        ("PNG", "RGB", (250, 120, 10), (250, 120, 10)),
        ("PNG", "1", 1, (255, 255, 255)),
        ("PNG", "I;16", 0x8000, (128, 128, 128)),
        ("PNG", "LA", (200, 128), (100, 100, 100)),
        ("PNG", "RGBA", (200, 100, 50, 128), (100, 50, 25)),
        ("PNG", "RGBA", (200, 100, 50, 0), (0, 0, 0)),
        ("WEBP", "RGB", (250, 120, 10), (250, 120, 10)),
        ("WEBP", "RGBA", (200, 100, 50, 128), (100, 50, 25)),
    ],
)
async def test_colors_stay_and_what_is_transparent_is_black(
    shrinker, picture, format, mode, color, seen
) -> None:
    image = picture(format, (400, 300), mode, color)
    for data in await shrinker.shrink(format, image):
        assert about(opened(data), seen)


async def test_a_large_jpeg_is_as_good_as_a_large_png(shrinker, picture) -> None:
    made = await shrinker.shrink("JPEG", picture("JPEG", (8000, 4500), color=(9, 99, 199)))
    assert opened(made[0]).size == (1920, 1080)
    assert about(opened(made[0]), (9, 99, 199))


async def test_of_a_film_the_first_picture_is_shown(shrinker, picture) -> None:
    rest = [Image.new("RGB", (40, 20), "blue")]
    image = picture("WEBP", (40, 20), color="lime", save_all=True, append_images=rest)
    assert about(opened((await shrinker.shrink("WEBP", image))[0]), (0, 255, 0))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
async def test_half_an_image_is_broken(shrinker, picture, format) -> None:
    image = picture(format, (800, 600), color="red")
    with pytest.raises(BrokenImage):
        await shrinker.shrink(format, image[: len(image) // 2])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_bytes_that_are_no_image_are_broken(shrinker, kind) -> None:
    with pytest.raises(BrokenImage, match="cannot identify"):
        await shrinker.shrink(kind, b"<script>" * 1000)
    with pytest.raises(BrokenImage):
        await shrinker.shrink(kind, b"")


async def test_only_the_kind_that_was_found_is_tried(shrinker, picture) -> None:
    # Pillow knows dozens of formats; a stranger does not get to choose among them.
    with pytest.raises(BrokenImage, match="cannot identify"):
        await shrinker.shrink("PNG", picture("GIF"))


async def test_a_bomb_is_not_decoded(shrinker, bomb) -> None:
    image = bomb(20_000, 20_000)
    assert len(image) < 100_000
    assert size_of(image) == (20_000, 20_000)
    # Nobody asks the child to do it, but it would refuse by itself.
    with pytest.raises(BrokenImage, match="DecompressionBomb"):
        await shrinker.shrink("PNG", image)
    with pytest.raises(BrokenImage, match="DecompressionBomb"):
        await shrinker.shrink("PNG", bomb(8_000, 8_000))
    assert await shrinker.shrink("PNG", bomb(8_000, 6_000))


async def test_who_takes_too_long_is_stopped() -> None:
    shrinker = Shrinker((sys.executable, "-c", "import time; time.sleep(600)"), patience=0.05)
    with pytest.raises(BrokenImage, match=r"longer than 0\.05 s"):
        # More than a pipe holds: it is not even read.
        await shrinker.shrink("PNG", b"x" * 1_000_000)


async def test_who_dies_is_no_trouble() -> None:
    shrinker = Shrinker((sys.executable, "-c", "import os; os._exit(7)"))
    with pytest.raises(BrokenImage, match="ended with code 7"):
        await shrinker.shrink("PNG", b"x" * 1_000_000)


async def test_its_last_words_are_one_harmless_line() -> None:
    words = "import sys; sys.exit('first\\nlast \\x1b[31m' + 'y' * 9999)"
    with pytest.raises(BrokenImage) as caught:
        await Shrinker((sys.executable, "-c", words)).shrink("PNG", b"")
    assert str(caught.value).startswith("last ?[31my")
    assert len(str(caught.value)) == 300


async def test_nothing_is_left_when_it_is_cancelled() -> None:
    program = "import sys, time; sys.stdin.read(); time.sleep(600)"
    started = asyncio.Event()

    class Watched(Shrinker):
        async def shrink(self, kind, image):
            started.set()
            return await super().shrink(kind, image)

    work = asyncio.create_task(Watched((sys.executable, "-c", program)).shrink("PNG", b"x"))
    await started.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(10):
            await work


async def test_without_a_program_it_is_an_error_of_the_machine() -> None:
    with pytest.raises(OSError, match="nowhere"):
        await Shrinker(("/nowhere/python",)).shrink("PNG", b"x")
