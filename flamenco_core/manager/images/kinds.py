"""What an image says of itself in its first bytes; nothing of it is decoded here.

A file of a kilobyte can claim to be sixty thousand pixels wide. That is found out before
anything makes room for them.

Sources: PNG 1.2 (W3C), section 11.2.2; JPEG (ITU-T T.81), annex B; WebP (RFC 9649).
"""

from __future__ import annotations

import struct

__all__ = ["KINDS", "MOST_PIXELS", "is_too_large", "kind_of", "name_of", "size_of"]

KINDS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
"""Content types that are taken, and Pillow's names for them."""
MOST_PIXELS = 50_000_000
"""An 8K frame has 33 million."""
MOST_SEGMENTS = 10_000
"""Of a JPEG before its size; a real one has a few dozen."""

_PNG = b"\x89PNG\r\n\x1a\n"
_OTHERS = (
    (b"v/1\x01", "OpenEXR"),
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


def kind_of(image: bytes) -> str | None:
    """Return Pillow's name of what kind of image this is, `None` if it is not taken."""
    if image.startswith(_PNG):
        return "PNG"
    if image.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    return "WEBP" if image[:4] == b"RIFF" and image[8:12] == b"WEBP" else None


def name_of(image: bytes) -> str:
    """Return what people call an image that is not taken."""
    for beginning, name in _OTHERS:
        if image.startswith(beginning):
            return name
    return "something else"


def is_too_large(size: tuple[int, int]) -> bool:
    """Say whether so many pixels are more than what is decoded."""
    return size[0] * size[1] > MOST_PIXELS


def size_of(image: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, `None` if the image does not say.

    The image must be of one of `KINDS`.
    """
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
