"""Small images of what can be shown, and of what is none."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from flamenco_core.pictures.kinds import size_of
from flamenco_core.pictures.shrink import shrunk

BOXES = [(1920, 1080), (600, 338), (200, 112)]
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


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
def test_it_fits_keeps_its_aspect_and_never_grows(picture, size, sizes) -> None:
    made = shrunk(picture("PNG", size), "PNG", BOXES)
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
def test_colors_stay_and_what_is_transparent_is_black(picture, format, mode, color, seen) -> None:
    image = picture(format, (400, 300), mode, color)
    for data in shrunk(image, format, BOXES):
        assert about(opened(data), seen)


def test_a_large_jpeg_is_as_good_as_a_large_png(picture) -> None:
    made = shrunk(picture("JPEG", (8000, 4500), color=(9, 99, 199)), "JPEG", BOXES)
    assert opened(made[0]).size == (1920, 1080)
    assert about(opened(made[0]), (9, 99, 199))


def test_of_a_film_the_first_picture_is_shown(picture) -> None:
    rest = [Image.new("RGB", (40, 20), "blue")]
    image = picture("WEBP", (40, 20), color="lime", save_all=True, append_images=rest)
    assert about(opened(shrunk(image, "WEBP", BOXES)[0]), (0, 255, 0))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_half_an_image_is_broken(picture, format) -> None:
    image = picture(format, (800, 600), color="red")
    with pytest.raises((OSError, SyntaxError, ValueError)):
        shrunk(image[: len(image) // 2], format, BOXES)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_bytes_that_are_no_image_are_broken(kind) -> None:
    with pytest.raises(OSError, match="cannot identify"):
        shrunk(b"<script>" * 1000, kind, BOXES)
    with pytest.raises((OSError, SyntaxError, ValueError)):
        shrunk(b"", kind, BOXES)


def test_only_the_kind_that_was_found_is_tried(picture) -> None:
    # Pillow knows dozens of formats; a stranger does not get to choose among them.
    with pytest.raises(OSError, match="cannot identify"):
        shrunk(picture("GIF"), "PNG", BOXES)


def test_a_bomb_is_not_decoded(bomb) -> None:
    image = bomb(20_000, 20_000)
    assert len(image) < 100_000
    assert size_of(image) == (20_000, 20_000)
    # Nobody asks for it, but it would be refused.
    with pytest.raises(BOMB):
        shrunk(image, "PNG", BOXES)
    with pytest.raises(BOMB):
        shrunk(bomb(8_000, 8_000), "PNG", BOXES)
    assert shrunk(bomb(8_000, 6_000), "PNG", BOXES)
