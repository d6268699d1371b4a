from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.pictures.kinds import (
    TooLarge,
    Unknown,
    checked_kind,
    kind_of,
    media_type_of,
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
        (b"II*\0", "TIFF"),
        (b"GIF89a", "GIF"),
        (b"<script>", "something else"),
        (b"", "something else"),
        (b"RIFF....WAVE", "something else"),
        (PNG, "a broken PNG"),
        (b"v/1\x01", "an OpenEXR with a broken header"),
    ],
)
def test_what_cannot_be_shown_is_named(beginning, name) -> None:
    with pytest.raises(Unknown, match=name):
        checked_kind(beginning)


@pytest.mark.parametrize(
    ("beginning", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 x", "image/webp"),
        (b"v/1\x01", "image/x-exr"),
        (b"\x89PN", None),
        (b"", None),
    ],
)
def test_the_content_tells_the_content_type(beginning, media_type) -> None:
    assert media_type_of(beginning) == media_type


def test_pixels_have_a_limit(picture, bomb) -> None:
    assert checked_kind(picture("WEBP")) == "WEBP"
    assert checked_kind(bomb(10_000, 5_000)) == "PNG"
    with pytest.raises(TooLarge, match="60000 x 60000 pixels"):
        checked_kind(PNG + b"\0\0\0\rIHDR" + struct.pack(">II", 60_000, 60_000))
    with pytest.raises(TooLarge, match="65535 x 65535 pixels"):
        checked_kind(b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff")


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


@given(st.sampled_from((*BEGINNINGS, b"v/1\x01\x02\0\0\0")), st.binary(max_size=200))
def test_whatever_it_is_there_is_an_answer(beginning, rest) -> None:
    with contextlib.suppress(Unknown, TooLarge):
        assert checked_kind(beginning + rest)
