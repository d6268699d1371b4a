"""Has small JPEGs of an image made, by a process that lives as long as that takes."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flamenco_core.manager.images.kinds import MOST_PIXELS

__all__ = ["SIZES", "BrokenImage", "Shrinker"]

SIZES = ((1920, 1080), (600, 338), (200, 112))
"""Boxes that the JPEGs fit into, in pixels: Flamenco's large, small and tiny."""
PATIENCE = 60.0
LONGEST_REASON = 300

_CHILD = (sys.executable, "-I", str(Path(__file__).with_name("child.py")))


class BrokenImage(ValueError):
    """An image cannot be decoded; the message says why."""


class Shrinker:
    """Runs *program*, once for each image; *patience* is in seconds."""

    def __init__(self, program: Sequence[str] = _CHILD, patience: float = PATIENCE) -> None:
        self._program = program
        self._patience = patience

    async def shrink(self, kind: str, image: bytes) -> list[bytes]:
        """Return a JPEG for each of `SIZES`.

        Raises `BrokenImage`; `OSError` when no process can be started.
        """
        boxes = [f"{width}x{height}" for width, height in SIZES]
        process = await asyncio.create_subprocess_exec(
            *self._program,
            *(kind, str(MOST_PIXELS), *boxes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            **_own_group(),
        )
        try:
            async with asyncio.timeout(self._patience):
                output, reason = await process.communicate(image)
        except TimeoutError:
            raise BrokenImage(f"decoding took longer than {self._patience:g} s") from None
        finally:
            await _end(process)
        if process.returncode:
            raise BrokenImage(_why(process.returncode, reason))
        return _split(output)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a process that still runs, and wait until it is gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        # Its pipes too; what is in them nobody wants any more.
        await process.communicate()


def _why(code: int, reason: bytes) -> str:
    lines = reason.decode("utf-8", "replace").strip().splitlines()
    text = "".join(c if c.isprintable() else "?" for c in (lines or [""])[-1])
    return text[:LONGEST_REASON] or f"the process that decodes it ended with code {code}"


def _split(output: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(output):
        (length,) = struct.unpack_from(">I", output, at)
        found.append(output[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def _own_group() -> dict[str, Any]:
    # A Ctrl-C in the Manager's terminal is not meant for it.
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
