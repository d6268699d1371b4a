"""Gives each task a folder of its own, and removes it with all that is in it.

The task's programs find it in the environment as ``FLAMENCO_SCRATCH``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import attrs

from flamenco_core import hookimpl

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from flamenco_core.offers import TaskToRun
    from flamenco_core.worker.host import Worker

__all__ = ["VARIABLE", "ScratchSettings"]

VARIABLE = "FLAMENCO_SCRATCH"


@attrs.frozen
class ScratchSettings:
    """Section ``scratch``: the folder to work in; empty is the system's own."""

    folder: str = ""


@hookimpl
def wrap_task(task: TaskToRun, worker: Worker) -> AbstractAsyncContextManager[None]:
    """Make the folder before the task, remove it afterwards."""
    settings: ScratchSettings = worker.settings_of("scratch", ScratchSettings)
    return _scratch(task.id, settings.folder or None, worker)


@asynccontextmanager
async def _scratch(task_id: str, parent: str | None, worker: Worker) -> AsyncIterator[None]:
    make = partial(tempfile.mkdtemp, dir=parent, prefix=f"flamenco-{task_id[:8]}-")
    folder = await anyio.to_thread.run_sync(make)
    worker.task_environment[VARIABLE] = folder
    try:
        yield
    finally:
        worker.task_environment.pop(VARIABLE, None)
        # Also when the task is stopped: a cancelled `await` would leave the folder behind.
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_remove, Path(folder))


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
