"""What a Worker looks at before it signs on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from typing import TYPE_CHECKING

import anyio.to_thread
import attrs

from flamenco_core import Problem, hookimpl

if TYPE_CHECKING:
    from flamenco_core.worker.host import Worker

__all__ = ["ReadinessSettings"]


@attrs.frozen
class ReadinessSettings:
    """Section ``readiness``: megabytes that must be free in the Worker's home."""

    free_megabytes: int = 100


@hookimpl
async def check_readiness(worker: Worker) -> Iterable[Problem]:
    """Look whether the Worker can keep its own files, and run anything at all."""
    return await anyio.to_thread.run_sync(_problems, worker)


def _problems(worker: Worker) -> list[Problem]:
    needed = worker.settings_of("readiness", ReadinessSettings).free_megabytes
    problems = []
    try:
        with tempfile.TemporaryFile(dir=worker.home) as file:
            file.write(b"x")
            file.flush()
        free = shutil.disk_usage(worker.home).free // 1_000_000
        if free < needed:
            problems.append(Problem(f"only {free} MB are free in {worker.home}; make room"))
    except OSError as error:
        problems.append(Problem(f"cannot write to {worker.home} (FLAMENCO_HOME): {error}"))
    if not worker.commands:
        problems.append(Problem("no plugin offers a command; see `flamenco plugins`"))
    return problems
