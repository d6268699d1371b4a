"""What an image says of itself in its first bytes; nothing of it is decoded here.

A file of a kilobyte can claim to be sixty thousand pixels wide. That is found out before
anything makes room for them.

Sources: PNG 1.2 (W3C), section 11.2.2; JPEG (ITU-T T.81), annex B; WebP (RFC 9649).
"""

from __future__ import annotations

import struct

from flamenco_core.pictures.exr_header import MAGIC as EXR
from flamenco_core.pictures.exr_header import BrokenExr, read_parts, size_to_decode

__all__ = [
    "MEDIA_TYPES",
    "MOST_PIXELS",
    "TooLarge",
    "Unknown",
    "checked_kind",
    "kind_of",
    "media_type_of",
    "size_of",
]

MEDIA_TYPES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/x-exr": "EXR",
}
"""Content types of images that can be shown, and Pillow's names for them."""
MOST_PIXELS = 50_000_000
"""An 8K frame has 33 million."""
MOST_DECODED = 512 * 1024**2
"""Bytes of all layers of an EXR together: its decoder reads them all."""
MOST_SEGMENTS = 10_000
"""Of a JPEG before its size; a real one has a few dozen."""

_PNG = b"\x89PNG\r\n\x1a\n"
_OTHERS = (
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"SDPX", "DPX"),
    (b"XPDS", "DPX"),
)
# What begins a frame, of any of JPEG's kinds of coding; the gaps are tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})


class Unknown(ValueError):
    """This is no image that can be shown; the message says what it is instead."""


class TooLarge(ValueError):
    """Decoding this would take too much memory; the message says how much."""


def kind_of(image: bytes) -> str | None:
    """Return what kind of image this is, `None` if it cannot be shown."""
    if image.startswith(_PNG):
        return "PNG"
    if image.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if image.startswith(EXR):
        return "EXR"
    return "WEBP" if image[:4] == b"RIFF" and image[8:12] == b"WEBP" else None


def media_type_of(image: bytes) -> str | None:
    """Return the content type of an image, `None` if it cannot be shown."""
    kind = kind_of(image)
    return next((media_type for media_type, its in MEDIA_TYPES.items() if its == kind), None)


def checked_kind(image: bytes) -> str:
    """Return what kind of image this is, if it is safe to decode.

    Raises `Unknown` or `TooLarge`.
    """
    kind = kind_of(image)
    if kind is None:
        raise Unknown(_name_of(image))
    if kind == "EXR":
        _check_exr(image)
        return kind
    size = size_of(image)
    if size is None:
        raise Unknown(f"a broken {kind} that does not tell its size")
    _check_pixels(size)
    return kind


def _name_of(image: bytes) -> str:
    for beginning, name in _OTHERS:
        if image.startswith(beginning):
            return name
    return "something else"


def _check_pixels(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        raise TooLarge(f"{size[0]} x {size[1]} pixels are too many")


def _check_exr(image: bytes) -> None:
    try:
        parts = read_parts(image)
    except BrokenExr as error:
        raise Unknown(f"an OpenEXR {error}") from error
    for part in parts:
        _check_pixels(part.data.size)
        _check_pixels(part.display.size)
    if (most := size_to_decode(parts)) > MOST_DECODED:
        raise TooLarge(f"all layers together have {most / 1024**3:.1f} GiB of pixels")


def size_of(image: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, JPEG or WebP, `None` if it does not say."""
    try:
        match kind_of(image):
            case "PNG":
                name, width, height = struct.unpack_from(">4sII", image, 12)
                found = (width, height) if name == b"IHDR" else (0, 0)
            case "JPEG":
                found = _size_of_jpeg(image)
            case _:
                found = _size_of_webp(image)
    except (struct.error, IndexError):
        return None
    return found if all(found) else None


def _size_of_jpeg(image: bytes) -> tuple[int, int]:
    at = 2
    for _ in range(MOST_SEGMENTS):
        if image[at] != 0xFF:
            break
        marker = image[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", image, at + 5)
            return width, height
        if marker == 0xFF:
            at += 1  # filling
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + max(2, *struct.unpack_from(">H", image, at + 2))
    return 0, 0


def _size_of_webp(image: bytes) -> tuple[int, int]:
    chunk = image[12:16]
    if chunk == b"VP8X":
        # The canvas; a picture on it is not larger.
        return 1 + _24_bits(image, 24), 1 + _24_bits(image, 27)
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", image, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and image[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", image, 26)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _24_bits(image: bytes, at: int) -> int:
    low, high = struct.unpack_from("<HB", image, at)
    return int(low) | int(high) << 16
