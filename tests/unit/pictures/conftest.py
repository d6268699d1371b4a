"""Images of every kind, real and otherwise."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import OpenEXR
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


@pytest.fixture
def exr() -> Make:
    """Give what writes an OpenEXR: parts by name, each with its channels by name."""

    def make(*, header: dict[str, Any] | None = None, **parts: dict[str, Any]) -> bytes:
        """A channel is a number for all 64 x 36 pixels, or an array of them."""
        made = []
        for name, channels in parts.items():
            arrays = {key: filled(value) for key, value in channels.items()}
            made.append(
                OpenEXR.Part({**(header or {}), "type": OpenEXR.scanlineimage}, arrays, name)
            )
        file = io.BytesIO()
        OpenEXR.File(made).write(file)
        return file.getvalue()

    def filled(value: Any) -> Any:
        return value if isinstance(value, np.ndarray) else np.full((36, 64), value, np.float32)

    return make
