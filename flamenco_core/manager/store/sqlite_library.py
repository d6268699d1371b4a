"""Which SQLite is used, and that only one Manager uses a file.

SQLite before 3.51.3 can corrupt a database in WAL mode (a reset of the log may race with a
checkpoint). Linux distributions ship older ones, so a fixed library comes along as a
dependency; where there is none, Python's own must be new enough.
"""

from __future__ import annotations

import contextlib
import os
import sys
from functools import cache
from pathlib import Path
from typing import IO, Any

from flamenco_core.errors import DatabaseError

__all__ = ["FileLock", "check_version", "dbapi"]

FIXED = (3, 51, 3)


@cache
def dbapi() -> Any:
    """Return a DB-API module with a SQLite that is safe to use.

    Raises `DatabaseError` when there is none.
    """
    try:
        from pysqlite3 import dbapi2 as module
    except ImportError:
        import sqlite3 as module
    check_version(module.sqlite_version_info)
    return module


def check_version(version: tuple[int, ...]) -> None:
    """Refuse a SQLite that can corrupt its file; FLAMENCO_UNSAFE_SQLITE=1 overrides it."""
    if version >= FIXED or os.environ.get("FLAMENCO_UNSAFE_SQLITE") == "1":
        return
    have, need = (".".join(map(str, v)) for v in (version, FIXED))
    raise DatabaseError(
        f"SQLite {have} can corrupt its file and is not used; install one from {need}"
        " (pip install 'pysqlite3>=0.6.1'), or use PostgreSQL"
    )


class FileLock:
    """A lock file that the operating system releases when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def take(self, or_else: str) -> None:
        """Take the lock; raises `DatabaseError` with the text *or_else* if it is taken."""
        file = self._path.open("ab")
        try:
            _lock(file)
        except OSError:
            file.close()
            raise DatabaseError(or_else) from None
        self._file = file

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
