"""Follow FFmpeg while it works.

It writes how far it is into a file, and not to its output: a dozen lines twice a second
are nothing for a task's log.
"""

from __future__ import annotations

import re
from pathlib import Path

import anyio

from flamenco_core import Run

__all__ = ["follow", "frames_done", "report"]

_FRAME = re.compile(r"^frame=\s*(\d+)", re.MULTILINE)


def frames_done(text: str) -> int:
    """Return how many frames FFmpeg's progress file says are done; 0 if it says nothing."""
    found = _FRAME.findall(text)
    return int(found[-1]) if found else 0


async def report(run: Run, file: Path, total: int, told: int = 0) -> int:
    """Tell how far FFmpeg is, unless that is *told* already, and return it."""
    try:
        text = await anyio.Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return told
    done = frames_done(text)
    if done not in (0, told):
        await run.activity(f"Encoded {done} of {total} frames")
    return done


async def follow(run: Run, file: Path, total: int, every: float = 1.0) -> None:
    """Tell how far FFmpeg is, again and again, until cancelled; *every* is in seconds."""
    told = 0
    while True:
        await anyio.sleep(every)
        told = await report(run, file, total, told)
