"""The logs of tasks, as files: one for each run of a task.

A worker that says where in its run's log a text belongs gets it written there, however
often it sends it and in which order. What the Manager itself has to say about a task is in
the database, and is put around the runs when a log is read.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["TaskLogs"]

BLOCK = 64 * 1024
MAX_GAP = 16 * 1024 * 1024
PATIENCE = 5
"""How often the removal of a folder is tried that others write to meanwhile."""


class TaskLogs:
    """Task logs below *root*, in the folders that Flamenco uses."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, job: str) -> Path:
        """Return the folder of a job's files."""
        return self._root / f"job-{job[:4]}" / job

    def path(self, job: str, task: str, epoch: int) -> Path:
        """Return the file of one run of a task."""
        return self.folder(job) / f"task-{task}.{epoch}.txt"

    def write(self, job: str, task: str, epoch: int, text: str, offset: int | None) -> str:
        """Write a run's text at *offset* (bytes), or at the end; return what was new of it.

        A worker that names no offset may leave out the last line's end; it is added.
        """
        if not text:
            return ""
        if offset is None and not text.endswith("\n"):
            text += "\n"
        data = text.encode("utf-8", "replace")
        path = self.path(job, task, epoch)
        path.parent.mkdir(parents=True, exist_ok=True)
        # No following of links: whoever can write here must not redirect the Manager.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, 0o644), "r+b") as file:
            end = file.seek(0, os.SEEK_END)
            # What lies far behind the end is no gap that will be filled.
            start = end if offset is None or offset > end + MAX_GAP else offset
            file.seek(start)
            file.write(data)
        known = max(0, min(end - start, len(data)))
        return data[known:].decode("utf-8", "replace")

    def remove(self, job: str) -> None:
        """Remove the folder of a job's files; one that is not there is fine."""
        folder = self.folder(job)
        for _ in range(PATIENCE):
            # A file that comes or goes meanwhile: not all is gone, so look again.
            with suppress(OSError):
                shutil.rmtree(folder)
            if not folder.exists():
                break
        else:
            shutil.rmtree(folder)
        # The folder above may have other jobs.
        with suppress(OSError):
            folder.parent.rmdir()

    def size(self, job: str, task: str, epoch: int) -> int:
        """Return how many bytes a run has logged."""
        try:
            return self.path(job, task, epoch).stat().st_size
        except FileNotFoundError:
            return 0

    def read(self, job: str, task: str, epoch: int) -> Iterator[bytes]:
        """Yield a run's log in blocks."""
        try:
            file = self.path(job, task, epoch).open("rb")
        except FileNotFoundError:
            return
        with file:
            while block := file.read(BLOCK):
                yield block

    def tail(self, job: str, task: str, epoch: int, count: int) -> bytes:
        """Return at most the last *count* bytes of a run's log."""
        try:
            with self.path(job, task, epoch).open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - count))
                return file.read()
        except FileNotFoundError:
            return b""
