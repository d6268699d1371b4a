"""Back up, check and restore a database, whichever of the two kinds it is."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import ModuleType

from sqlalchemy import make_url

from flamenco_core.errors import DatabaseError
from flamenco_core.manager.store import sqlite_backup
from flamenco_core.manager.store.sqlite_library import dbapi

__all__ = ["back_up", "find_damage", "restore", "shown", "way_back"]


def back_up(database: str, target: Path) -> None:
    """Write a copy of a database to a new file; a Manager may run meanwhile."""
    if _is_server(database):
        _tools().back_up(database, target)
        return
    with contextlib.closing(sqlite_backup.open_read_only(Path(database))) as connection:
        sqlite_backup.back_up(connection, target)


def find_damage(database: str) -> list[str]:
    """Return what is wrong with a database; nothing if it is sound."""
    if _is_server(database):
        return list(_tools().damage_in(database))
    try:
        with contextlib.closing(sqlite_backup.open_read_only(Path(database))) as connection:
            return sqlite_backup.damage_in(connection, thorough=True)
    except dbapi().Error as error:
        raise DatabaseError(f"cannot read the database {database}: {error}") from error


def shown(database: str) -> str:
    """Return a database's address as everybody may see it."""
    return make_url(database).render_as_string() if _is_server(database) else database


def way_back(database: str) -> str:
    """Say how to get a sound database again."""
    if _is_server(database):
        return "Put a backup back with: flamenco db restore FILE"
    return sqlite_backup.way_back(Path(database))


def restore(database: str, backup: Path | None, now: int) -> tuple[Path, Path | None]:
    """Put a backup back, the newest automatic one by default; *now* is in microseconds.

    Returns it, and where what was there before is kept. Raises `DatabaseError`.
    """
    stamp = sqlite_backup.stamp_of(now)
    if _is_server(database):
        if backup is None:
            raise DatabaseError("name the file to restore: there are no automatic backups here")
        aside = backup.with_name(f"flamenco.before-restore-{stamp}.dump")
        return backup, _tools().put_back(database, backup, aside)
    path = Path(database)
    backup = backup or sqlite_backup.newest_backup(path)
    if backup is None:
        raise DatabaseError(f"there is no automatic backup of {path}; name the file to restore")
    return backup, sqlite_backup.put_back(path, backup, stamp)


def _is_server(database: str) -> bool:
    return database.startswith("postgresql")


def _tools() -> ModuleType:
    try:
        from flamenco_core.manager.store import postgresql_tools
    except ImportError as error:
        raise DatabaseError(
            "PostgreSQL needs a driver: pip install 'flamenco-core[manager,postgresql]'"
        ) from error
    return postgresql_tools
