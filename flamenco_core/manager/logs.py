"""The logs of tasks, as files: one for each run of a task.

A worker that says where in its run's log a text belongs gets it written there, however
often it sends it and in which order. What the Manager itself has to say about a task is in
the database, and is put around the runs when a log is read.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import attrs

__all__ = ["LogLimits", "TaskLogs"]

BLOCK = 64 * 1024
MAX_GAP = 16 * 1024 * 1024
PATIENCE = 5
"""How often the removal of a folder is tried that others write to meanwhile."""
PER_RUN = 8
"""So many epochs a task may go through from one run to the next: people cancel, requeue."""
MANY = 32
"""From so many files on, it is cheaper to let the system write all that it has."""
_BINARY = getattr(os, "O_BINARY", 0)
# No following of links: whoever can write here must not redirect the Manager, nor have it
# show other files. No waiting for the other end of a pipe either.
_PLAIN = _BINARY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
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

    # -- writing ---------------------------------------------------------------------

    def write(self, job: str, task: str, epoch: int, text: str, offset: int | None) -> str:
        """Write a run's text at *offset* (bytes), or at the end; return what was new of it.

        A worker that names no offset may leave out the last line's end; it is added. What
        is too much is left out, and a line says so. Raises `OSError`.
        """
        if not text:
            return ""
        if offset is None and not text.endswith("\n"):
            text += "\n"
        path = self.path(job, task, epoch)
        with self._writable(path) as file:
            end = file.seek(0, os.SEEK_END)
            # What lies far behind the end is no gap that will be filled.
            start = end if offset is None or offset > end + MAX_GAP else offset
            data = self._cut(text.encode("utf-8", "replace"), start)
            file.seek(start)
            file.write(data)
        self._unsynced.add(path)
        if end == 0:
            self._prune(job, task, epoch)
        known = max(0, min(end - start, len(data)))
        return data[known:].decode("utf-8", "replace")

    def _writable(self, path: Path) -> BinaryIO:
        flags = os.O_RDWR | os.O_CREAT | _PLAIN
        try:
            number = os.open(path, flags, 0o644)
        except FileNotFoundError:
            # The first text of a job, or somebody has tidied up.
            path.parent.mkdir(parents=True, exist_ok=True)
            number = os.open(path, flags, 0o644)
        return os.fdopen(number, "r+b")

    def _cut(self, data: bytes, start: int) -> bytes:
        """Leave out what is too much; the same text at the same place is cut the same way."""
        message, room = self.limits.message, self.limits.run - start
        if room < 0:
            return b""
        note = _note(f"{message:,} bytes of one message")
        # Where the next message begins is for the worker to say: the note must fit before.
        if len(data) > message + len(note):
            data = data[:message] + note
        if len(data) > room:
            data = data[:room] + _note(f"{self.limits.run:,} bytes of one run")
        return data

    def _prune(self, job: str, task: str, epoch: int) -> None:
        last = epoch - self.limits.runs
        for old in range(max(1, last - PER_RUN + 1), last + 1):
            self.path(job, task, old).unlink(missing_ok=True)

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
        """Return how many bytes a run has logged."""
        try:
            found = self.path(job, task, epoch).lstat()
        except FileNotFoundError:
            return 0
        return found.st_size if stat.S_ISREG(found.st_mode) else 0

    def read(self, job: str, task: str, epoch: int) -> Iterator[bytes]:
        """Yield a run's log in blocks."""
        file = _readable(self.path(job, task, epoch))
        if file is None:
            return
        with file:
            while block := file.read(BLOCK):
                yield block

    def tail(self, job: str, task: str, epoch: int, count: int) -> bytes:
        """Return at most the last *count* bytes of a run's log."""
        file = _readable(self.path(job, task, epoch))
        if file is None:
            return b""
        with file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - count))
            return file.read(count)


def _readable(path: Path) -> BinaryIO | None:
    """Open a plain file; anything else is as if it were not there."""
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | _PLAIN), "rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    return None


def _note(kept: str) -> bytes:
    return f"\n[the Manager keeps {kept}; the rest is left out]\n".encode()
