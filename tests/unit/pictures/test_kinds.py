from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.manager.images.kinds import (
    MOST_PIXELS,
    is_too_large,
    kind_of,
    name_of,
    size_of,
)

PNG = b"\x89PNG\r\n\x1a\n"
BEGINNINGS = (PNG, b"\xff\xd8\xff", b"RIFF....WEBP", b"RIFF....WEBPVP8 ", b"RIFF....WEBPVP8X")


@pytest.mark.parametrize("size", [(1, 1), (321, 180), (5000, 3)])
@pytest.mark.parametrize(
    ("format", "how"),
    [
        ("PNG", {}),
        ("PNG", {"mode": "P", "color": 3}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"mode": "L", "color": 3}),
        ("JPEG", {"exif": b"Exif\0\0" + b"x" * 5000, "comment": b"hi"}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"mode": "RGBA", "exif": b"Exif\0\0x"}),
        ("WEBP", {"lossless": True, "mode": "RGBA"}),
    ],
)
def test_the_size_is_known_without_decoding(picture, format, how, size) -> None:
    image = picture(format, size, **how)
    assert kind_of(image) == format
    assert size_of(image) == size


def test_a_jpeg_may_fill_up_before_its_markers(picture) -> None:
    image = picture("JPEG", (30, 20))
    assert size_of(image[:2] + b"\xff\xff\xff" + image[2:]) == (30, 20)


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (b"v/1\x01\x02\0\0\0", "OpenEXR"),
        (b"II*\0", "TIFF"),
        (b"GIF89a", "GIF"),
        (b"<script>", "something else"),
        (b"", "something else"),
        (b"RIFF....WAVE", "something else"),
    ],
)
def test_what_is_not_taken_is_named(beginning, name) -> None:
    assert kind_of(beginning) is None
    assert name_of(beginning) == name


def test_pixels_have_a_limit() -> None:
    assert not is_too_large((7680, 4320))
    assert not is_too_large((MOST_PIXELS, 1))
    assert is_too_large((MOST_PIXELS, 2))
    assert is_too_large((60_000, 60_000))


def test_a_header_may_claim_anything() -> None:
    assert size_of(PNG + b"\0\0\0\rIHDR" + b"\xff" * 8) == (0xFFFFFFFF, 0xFFFFFFFF)
    jpeg = b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff"
    assert size_of(jpeg) == (65535, 65535)


@pytest.mark.parametrize(
    "image",
    [
        PNG,
        PNG + b"\0\0\0\rIDAT" + b"\x01" * 8,
        PNG + b"\0\0\0\rIHDR" + struct.pack(">II", 0, 5),
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\x10",
        b"\xff\xd8\xff" + b"j" * 1000,
        b"\xff\xd8" + b"\xff\xd0" * 1_000_000,
        b"\xff\xd8" + b"\xff" * 1_000_000,
        b"RIFF....WEBP",
        b"RIFF....WEBPVP8 " + b"\0" * 30,
    ],
)
def test_a_header_that_says_nothing_is_no_size(image) -> None:
    assert size_of(image) is None


@given(st.sampled_from(BEGINNINGS), st.binary(max_size=200))
def test_no_bytes_are_a_surprise(beginning, rest) -> None:
    size = size_of(beginning + rest)
    assert size is None or min(size) > 0
