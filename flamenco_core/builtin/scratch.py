"""Gives each task a folder of its own, and removes it with all that is in it.

The task's programs find it in the environment as ``FLAMENCO_SCRATCH``. It is the place for
their temporary files, too: a Blender that is ended leaves some behind each time, and would
fill the system's own folder. What a Worker that was killed has left goes at the next start.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import attrs

from flamenco_core import Problem, hookimpl

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from flamenco_core.offers import TaskToRun
    from flamenco_core.worker.host import Worker

__all__ = ["VARIABLE", "ScratchSettings"]

VARIABLE = "FLAMENCO_SCRATCH"
TEMPORARY = ("TMPDIR", "TEMP", "TMP")
"""Where programs look for the place of their temporary files; the first is Unix's."""


@attrs.frozen
class ScratchSettings:
    """Section ``scratch``: the folder to work in; empty is the Worker's own."""

    folder: str = ""


@hookimpl
async def check_readiness(worker: Worker) -> Iterable[Problem]:
    """Remove what an earlier Worker in this home has left."""
    if VARIABLE not in worker.task_environment:
        await anyio.to_thread.run_sync(_remove_left, _parent(worker), _prefix(worker))
    return []


@hookimpl
def wrap_task(task: TaskToRun, worker: Worker) -> AbstractAsyncContextManager[None]:
    """Make the folder before the task, remove it afterwards."""
    return _scratch(f"{_prefix(worker)}{task.id[:8]}-", worker)


@asynccontextmanager
async def _scratch(prefix: str, worker: Worker) -> AsyncIterator[None]:
    folder = await anyio.to_thread.run_sync(_make, worker, prefix)
    ours = dict.fromkeys((VARIABLE, *TEMPORARY), folder)
    worker.task_environment.update(ours)
    try:
        yield
    finally:
        for name in ours:
            worker.task_environment.pop(name, None)
        # Also when the task is stopped: a cancelled `await` would leave the folder behind.
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_remove, Path(folder))


def _parent(worker: Worker) -> Path:
    settings: ScratchSettings = worker.settings_of("scratch", ScratchSettings)
    # One from the settings is not made: a disk that is not mounted is no place to work.
    return Path(settings.folder) if settings.folder else worker.home


def _prefix(worker: Worker) -> str:
    # Several Workers of one machine may share a fast disk; each removes its own only.
    home = hashlib.sha256(str(worker.home.absolute()).encode()).hexdigest()
    return f"flamenco-{home[:8]}-"


def _make(worker: Worker, prefix: str) -> str:
    parent = _parent(worker)
    if parent == worker.home:
        parent.mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(dir=parent, prefix=prefix)


def _remove_left(parent: Path, prefix: str) -> None:
    for left in parent.glob(f"{prefix}*"):
        _remove(left)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
