"""What jobs take of the Manager's own disk: logs, small images, and their archives."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from flamenco_core.manager.logs import TaskLogs

__all__ = ["DiskUse", "disk_use", "disk_uses"]

_ID = 36
"""Characters of a job's id, with which the name of its archive ends."""


@attrs.frozen(kw_only=True)
class DiskUse:
    """Bytes of one job. Deleting it frees the logs and images; its archive stays."""

    logs: int = 0
    images: int = 0
    archive: int = 0

    @property
    def freed(self) -> int:
        """What deleting the job frees."""
        return self.logs + self.images


def disk_use(logs: TaskLogs, job: str, archives: Path | None = None) -> DiskUse:
    """Look at one job; *archives* is the folder for archives."""
    return disk_uses(logs, [job], archives)[0]


def disk_uses(logs: TaskLogs, jobs: Iterable[str], archives: Path | None = None) -> list[DiskUse]:
    """Look at many jobs; the folder for archives is read once."""
    of_archives = dict(_archives(archives))
    return [_of_job(logs.folder(job), of_archives.get(job, 0)) for job in jobs]


def _of_job(folder: Path, archive: int) -> DiskUse:
    images = whole = 0
    for entry, size in _files(folder):
        whole += size
        images += size if entry.endswith(".jpg") else 0
    return DiskUse(logs=whole - images, images=images, archive=archive)


def _archives(folder: Path | None) -> Iterator[tuple[str, int]]:
    for name, size in _files(folder) if folder else ():
        stem = name.removesuffix(".zip")
        if stem != name:
            yield stem[-_ID:], size


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield names and bytes; a folder that is not there is empty, what goes meanwhile too."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    yield entry.name, found.st_size
                elif stat.S_ISDIR(found.st_mode):
                    # The later parts of a long log.
                    yield from _files(Path(entry.path))
    except OSError:
        return
