"""The trial ``ffmpeg``: a video of six tiny frames."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from flamenco_core import FlamencoError
from flamenco_core.offers import CommandToRun, Trial

__all__ = ["TRIAL"]

FRAMES, WIDTH, HEIGHT = 6, 64, 36
VIDEO = "video.mp4"


def _prepare(folder: Path) -> None:
    for number in range(1, FRAMES + 1):
        (folder / f"frame-{number:04}.png").write_bytes(_png(number * 255 // FRAMES))


def _png(red: int) -> bytes:
    """Return a picture of one color (PNG 1.2, W3C: color type 2, no filter)."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes((red, 96, 160)) * WIDTH) * HEIGHT
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _commands(folder: str) -> Sequence[CommandToRun]:
    return [
        CommandToRun(
            name="frames-to-video",
            parameters={
                "exe": "ffmpeg",
                "fps": 24,
                "inputGlob": f"{folder}/*.png",
                "outputFile": f"{folder}/{VIDEO}",
                "args": ["-c:v", "h264", "-crf", "20", "-pix_fmt", "yuv420p", "-y"],
            },
            total_step_count=1,
        )
    ]


def _prove(folder: Path) -> str:
    video = folder / VIDEO
    if not video.is_file():
        raise FlamencoError(
            f"FFmpeg ended well, but there is no video {video}; is that folder the same one"
            " for the worker?"
        )
    # Every MP4 says so in the box that it begins with (ISO/IEC 14496-12, 4.3).
    with video.open("rb") as file:
        if file.read(12)[4:8] != b"ftyp":
            raise FlamencoError(f"{video} is no MP4; FFmpeg or the storage is broken")
    return f"encoded {FRAMES} frames to {video.stat().st_size} bytes"


TRIAL = Trial(
    name="ffmpeg",
    task_type="ffmpeg",
    prepare=_prepare,
    commands=_commands,
    prove=_prove,
    version=r"(?:ffmpeg version|frames-to-video: FFmpeg) (\S+)",
)
