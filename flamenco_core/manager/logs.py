"""The logs of tasks, as files: one for each run of a task, and more for a long one.

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

import attrs

from flamenco_core.manager.run_log import RunLog

__all__ = ["LogLimits", "TaskLogs"]

PATIENCE = 5
"""How often the removal of a folder is tried that others write to meanwhile."""
PER_RUN = 8
"""So many epochs a task may go through from one run to the next: people cancel, requeue."""
MANY = 32
"""From so many files on, it is cheaper to let the system write all that it has."""
_sync = getattr(os, "fdatasync", os.fsync)


@attrs.frozen(kw_only=True)
class LogLimits:
    """How much is kept: bytes of a run, bytes of one message, runs of a task."""

    run: int = 64 * 1024 * 1024
    message: int = 1024 * 1024
    runs: int = 20


class TaskLogs:
    """Task logs below *root*, in the folders that Flamenco uses."""

    def __init__(self, root: Path, limits: LogLimits | None = None) -> None:
        self._root = root
        self.limits = limits or LogLimits()
        self._unsynced: set[Path] = set()

    def folder(self, job: str) -> Path:
        """Return the folder of a job's files."""
        return self._root / f"job-{job[:4]}" / job

    def path(self, job: str, task: str, epoch: int) -> Path:
        """Return the file of one run of a task."""
        return self.folder(job) / f"task-{task}.{epoch}.txt"

    def _run(self, job: str, task: str, epoch: int) -> RunLog:
        return RunLog(self.path(job, task, epoch), self.limits.run)

    # -- writing ---------------------------------------------------------------------

    def write(self, job: str, task: str, epoch: int, text: str, offset: int | None) -> str:
        """Write a run's text at *offset* (bytes), or at the end; return what was new of it.

        A worker that names no offset may leave out the last line's end; it is added. What
        is too much of one message is left out, and a line says so; of a long run the
        middle is. Raises `OSError`.
        """
        if not text:
            return ""
        if offset is None and not text.endswith("\n"):
            text += "\n"
        data = self._cut(text.encode("utf-8", "replace"))
        done = self._run(job, task, epoch).write(data, offset)
        self._unsynced.update(done.files)
        if done.end == 0:
            self._prune(job, task, epoch)
        known = max(0, min(done.end - done.start, len(data)))
        return data[known:].decode("utf-8", "replace")

    def _cut(self, data: bytes) -> bytes:
        """Leave out what is too much; the same text is cut the same way."""
        kept = self.limits.message
        note = f"\n[the Manager keeps {kept:,} bytes of one message; the rest is left out]\n"
        # Where the next message begins is for the worker to say: the note must fit before.
        return data if len(data) <= kept + len(note) else data[:kept] + note.encode()

    def _prune(self, job: str, task: str, epoch: int) -> None:
        last = epoch - self.limits.runs
        for old in range(max(1, last - PER_RUN + 1), last + 1):
            self._run(job, task, old).remove()

    def flush(self) -> None:
        """Let what was written survive a power cut; one that cannot is left out."""
        count = len(self._unsynced)
        paths = [self._unsynced.pop() for _ in range(count)]
        if count > MANY and hasattr(os, "sync"):
            # One after the other, each would make the file system commit by itself.
            os.sync()
            return
        for path in paths:
            with suppress(OSError), path.open("rb+") as file:
                _sync(file.fileno())

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

    # -- reading ---------------------------------------------------------------------

    def size(self, job: str, task: str, epoch: int) -> int:
        """Return how many bytes there are to read of a run."""
        return self._run(job, task, epoch).size()

    def read(self, job: str, task: str, epoch: int) -> Iterator[bytes]:
        """Yield a run's log in blocks."""
        return self._run(job, task, epoch).read()

    def tail(self, job: str, task: str, epoch: int, count: int) -> bytes:
        """Return at most the last *count* bytes of a run's log."""
        return self._run(job, task, epoch).tail(count)
