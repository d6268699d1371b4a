"""The plugin's section of the settings."""

from __future__ import annotations

import math
import os
from pathlib import Path

import attrs
from attrs import validators

__all__ = ["Settings"]


def _at_least(least: float, default: float) -> float:
    made: float = attrs.field(default=default, validator=validators.ge(least))
    return made


@attrs.frozen(kw_only=True)
class Settings:
    """Where scripts are, and what one run of a script may cost.

    A run is the compilation of one submitted job. ``seconds`` is its time, and after
    ``kill_after`` its process is killed in any case. ``memory_mb`` is for the script's
    values, ``process_mb`` is how much its process may grow, and ``answer_mb`` is the size
    of the job that comes out (64 MB are about 120,000 render tasks). ``at_once`` runs are
    going on at a time and ``queue`` may wait; beyond that the Manager says it is busy.
    """

    scripts: tuple[Path, ...] = (Path("scripts"),)
    """Folders; of two scripts for one job type, that in the first folder counts."""

    seconds: float = _at_least(0.1, 3.0)
    kill_after: float = _at_least(0.1, 6.0)
    memory_mb: int = attrs.field(default=256, validator=validators.ge(16))
    process_mb: int = attrs.field(default=600, validator=validators.ge(64))
    answer_mb: int = attrs.field(default=64, validator=validators.ge(1))
    tasks: int = attrs.field(default=100_000, validator=validators.ge(1))
    commands: int = attrs.field(default=50, validator=validators.ge(1))
    at_once: int = attrs.field(default=2, validator=validators.ge(1))
    queue: int = attrs.field(default=20, validator=validators.ge(0))

    def rooted(self, folder: Path) -> Settings:
        """Return settings whose folders start from *folder*."""
        paths = (Path(os.path.normpath(folder / path.expanduser())) for path in self.scripts)
        return attrs.evolve(self, scripts=tuple(paths))

    def limits(self) -> dict[str, float]:
        """Return the limits of one run in the child's units: seconds and bytes."""
        return {
            "seconds": self.seconds,
            # Processor time counts the start of the process and all of its threads.
            "cpu": math.ceil(self.seconds * 2),
            "memory": self.memory_mb << 20,
            "process": self.process_mb << 20,
            "answer": self.answer_mb << 20,
            "tasks": self.tasks,
            "commands": self.commands,
        }
