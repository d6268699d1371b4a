"""Has small JPEGs of an image made, by a process that lives as long as that takes."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["SIZES", "BrokenImage", "Shrinker", "can_read_exr"]

SIZES = ((1920, 1080), (600, 338), (200, 112))
"""Boxes that the JPEGs fit into, in pixels: Flamenco's large, small and tiny."""
PATIENCE = 60.0
MOST_OUTPUT = 16 * 1024 * 1024
"""Bytes of the JPEGs; of pure noise they have three million."""
LONGEST_REASON = 300

# -P: a folder that the Manager was started in has no say in what is imported.
_PROGRAM = (sys.executable, "-P", "-B", "-m", "flamenco_core.pictures")
_KEPT = frozenset({"PATH", "PYTHONPATH", "PYTHONHOME", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT"})


class BrokenImage(ValueError):
    """An image cannot be decoded; the message says why."""


def can_read_exr() -> bool:
    """Say whether what decodes OpenEXR is installed."""
    return importlib.util.find_spec("OpenEXR") is not None


class Shrinker:
    """Runs *program*, once for each image; *patience* is in seconds."""

    def __init__(self, program: Sequence[str] = _PROGRAM, patience: float = PATIENCE) -> None:
        self._program = program
        self._patience = patience

    async def shrink(self, kind: str, image: bytes) -> list[bytes]:
        """Return a JPEG for each of `SIZES`.

        Raises `BrokenImage`; `OSError` when no process can be started.
        """
        boxes = [f"{width}x{height}" for width, height in SIZES]
        process = await asyncio.create_subprocess_exec(
            *(*self._program, kind, *boxes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            **_own_group(),
        )
        try:
            async with asyncio.timeout(self._patience):
                output = await _talk(process, image)
        except TimeoutError:
            raise BrokenImage(f"decoding took longer than {self._patience:g} s") from None
        finally:
            await _end(process)
        if process.returncode:
            raise BrokenImage(_why(process.returncode, output))
        return _split(output)


async def _talk(process: asyncio.subprocess.Process, image: bytes) -> bytes:
    """Give a process its input, and return what it prints until its end."""
    feeding = asyncio.create_task(_feed(process, image))
    try:
        output = await _read(process)
        await process.wait()
        return output
    finally:
        # Who has said all, or too much, does not read any more.
        feeding.cancel()
        await asyncio.wait({feeding})


async def _feed(process: asyncio.subprocess.Process, image: bytes) -> None:
    assert process.stdin is not None
    # One that has ended does not take it; its exit code says more.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(image)
        await process.stdin.drain()
    process.stdin.close()


async def _read(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    output = bytearray()
    while part := await process.stdout.read(256 * 1024):
        output += part
        # Whoever has taken it over must not fill the Manager's memory.
        if len(output) > MOST_OUTPUT:
            raise BrokenImage("the process that decodes it printed too much")
    return bytes(output)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a process that still runs, and wait until it is gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        # Its pipes too; what is in them nobody wants any more.
        await process.communicate()


def _why(code: int, reason: bytes) -> str:
    lines = reason[-10_000:].decode("utf-8", "replace").strip().splitlines()
    text = "".join(c if c.isprintable() else "?" for c in (lines or [""])[-1])
    return text[:LONGEST_REASON] or f"the process that decodes it ended with code {code}"


def _split(output: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(output):
        length = int.from_bytes(output[at : at + 4], "big")
        found.append(output[at + 4 : at + 4 + length])
        at += 4 + length
    if at != len(output) or len(found) != len(SIZES):
        raise BrokenImage("the process that decodes it did not print what it should")
    return found


def _environment() -> dict[str, str]:
    """Return what Python needs; secrets of the Manager's stay with it."""
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT}
    # Threads for matrices, which nobody needs here, take up address space.
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _own_group() -> dict[str, Any]:
    # A Ctrl-C in the Manager's terminal is not meant for it.
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
