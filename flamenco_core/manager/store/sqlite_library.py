"""Which SQLite is used.

SQLite before 3.51.3 can corrupt a database in WAL mode (a reset of the log may race with a
checkpoint). Linux distributions ship older ones, so a fixed library comes along as a
dependency; where there is none, Python's own must be new enough.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from flamenco_core.errors import DatabaseError

__all__ = ["check_version", "dbapi"]

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
