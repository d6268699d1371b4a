"""The file of a SQLite database: where it may lie, and whether it is still the same one."""

from __future__ import annotations

import os
from pathlib import Path

from flamenco_core.errors import DatabaseError
from flamenco_core.mounts import file_system_of, is_network

__all__ = ["OpenedFile", "beside", "check_place", "was_stopped_cleanly"]


def beside(path: Path, ending: str) -> Path:
    """Return the file that SQLite, or this program, keeps beside a database."""
    return path.with_name(path.name + ending)


def was_stopped_cleanly(path: Path) -> bool:
    """Say whether the last one who wrote has closed the file: then its log is gone."""
    return not beside(path, "-wal").exists()


def check_place(path: Path) -> None:
    """Refuse a place where a database cannot be kept, or where one has lost its file.

    Raises `DatabaseError`.
    """
    kind = file_system_of(path.parent)
    if is_network(kind) and os.environ.get("FLAMENCO_UNSAFE_FILESYSTEM") != "1":
        raise DatabaseError(
            f"the database {path} would be on a network file system ({kind}), which SQLite's"
            " log of changes does not work on: it needs memory that all who open the file"
            " share, and locks that hold. Set 'database:' to a file on a disk of this machine,"
            " or use PostgreSQL"
        )
    log = beside(path, "-wal")
    if not path.exists() and log.exists() and log.stat().st_size:
        # SQLite would make an empty database and throw away the log.
        raise DatabaseError(
            f"the database {path} is missing, but its log of changes {log.name} is there;"
            " put the file back, or run 'flamenco db restore'"
        )


class OpenedFile:
    """The file as it was when it was opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = _identity(path.stat())

    def trouble(self) -> str:
        """Say why what is written would be lost; nothing if all is well.

        A file that was deleted or replaced can still be written to: nobody would see it.
        """
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return f"the database {self._path} was deleted while the Manager runs; {_CURE}"
        except OSError as error:
            return f"the database {self._path} cannot be reached any more: {error}; {_CURE}"
        if _identity(now) != self._identity:
            return f"the database {self._path} was replaced while the Manager runs; {_CURE}"
        # An administrator may write to anything; the mode still says what somebody meant.
        if not now.st_mode & 0o222 or not os.access(self._path, os.W_OK):
            return f"the database {self._path} is read-only; let the Manager's user write to it"
        return ""


_CURE = (
    "put the very file back, or stop the Manager without delay and run 'flamenco db restore',"
    " then start it again"
)


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino
