"""Images of every kind, real and otherwise."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

Make = Callable[..., bytes]


@pytest.fixture
def picture() -> Make:
    """Give what draws an image and writes it in a format."""

    def make(
        format: str,
        size: tuple[int, int] = (320, 180),
        mode: str = "RGB",
        color: Any = "red",
        **how,
    ) -> bytes:
        file = io.BytesIO()
        Image.new(mode, size, color).save(file, format, **how)
        return file.getvalue()

    return make


@pytest.fixture
def bomb() -> Make:
    """Give what makes a valid little PNG of many equal pixels."""

    def make(width: int, height: int) -> bytes:
        packer = zlib.compressobj(9)
        row = b"\0" * (1 + (width + 7) // 8)  # one bit for each pixel, and a filter
        parts = [packer.compress(row) for _ in range(height)]
        data = b"".join(parts) + packer.flush()
        head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
        chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )

    return make
