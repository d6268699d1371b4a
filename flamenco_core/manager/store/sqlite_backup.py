"""Copies of a SQLite database: made while a Manager runs, judged, and put back.

A copy is a database of its own, without a log beside it. It gets its name only when it is
whole and on the disk, so whatever has the name of a backup is one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flamenco_core.clock import rfc3339
from flamenco_core.errors import DatabaseError, NotFound
from flamenco_core.manager.store.sqlite_file import beside
from flamenco_core.manager.store.sqlite_library import dbapi
from flamenco_core.platform import lock_file, sync_folder

__all__ = [
    "back_up",
    "backups_of",
    "damage_in",
    "lock_database",
    "newest_backup",
    "open_read_only",
    "prune_backups",
    "put_back",
    "refuse_damage",
    "regular_backup",
    "stamp_of",
    "way_back",
]

FOLDER = ".backups"
_SHOWN = 10
"""So much of what is wrong is told; a damaged page can be wrong in a thousand places."""
_DAMAGED = (11, 26)


def open_read_only(path: Path) -> Any:
    """Open a database for reading; raises `NotFound` if there is none."""
    if not path.is_file():
        raise NotFound(f"there is no database {path}")
    uri = path.resolve().as_uri() + "?mode=ro"
    # A check takes as long as it takes, but waits for nobody.
    return dbapi().connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def damage_in(connection: Any, *, thorough: bool = False) -> list[str]:
    """Return what is wrong with a database, in SQLite's words; nothing if it is sound.

    *thorough* also compares the indexes with their tables, and looks for references to
    rows that are not there, which takes several times as long.
    """
    look = "integrity_check" if thorough else "quick_check"
    try:
        found = [str(row[0]) for row in connection.execute(f"PRAGMA {look}({_SHOWN})")]
        if thorough:
            found += _dangling(connection)
    except dbapi().DatabaseError as error:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) not in _DAMAGED:
            raise
        found = [str(error)]
    return [words for words in found if words != "ok"]


def _dangling(connection: Any) -> list[str]:
    rows = connection.execute("PRAGMA foreign_key_check").fetchmany(_SHOWN)
    return [
        f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in rows
    ]


def refuse_damage(path: Path, connection: Any) -> None:
    """Raise `DatabaseError` if the database is damaged; it names the way back."""
    if damage := damage_in(connection):
        raise DatabaseError(f"the database {path} is damaged: {damage[0]}. {way_back(path)}")


def way_back(path: Path) -> str:
    """Say how to get a sound database again."""
    backup = newest_backup(path)
    if backup is None:
        return (
            "There is no automatic backup of it; put one of your own back: flamenco db restore FILE"
        )
    return (
        f"The newest automatic backup is {backup}; put it back with: flamenco db restore {backup}"
    )


# -- making them -----------------------------------------------------------------------------


def back_up(connection: Any, target: Path) -> None:
    """Copy the database of *connection* to *target*, which must not exist.

    Others may write meanwhile; the copy is of one moment. Raises `DatabaseError`.
    """
    if target.exists():
        raise DatabaseError(f"{target} exists already; name another file for the backup")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _unfinished(target) as copy:
            connection.execute("VACUUM INTO ?", (str(copy),))
            _on_disk(copy)
            # It may have been made meanwhile; of two backups both are wanted.
            os.link(copy, target)
        sync_folder(target.parent)
    except (OSError, dbapi().Error) as error:
        raise DatabaseError(f"cannot write the backup {target}: {error}") from error


@contextlib.contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    # From the start for its owner only: it has the workers' secrets, if only as hashes.
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _on_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def backups_of(path: Path) -> list[Path]:
    """Return the automatic backups of a database, the newest first."""
    found = [*path.with_name(path.name + FOLDER).glob("*.sqlite")]
    found += path.parent.glob(f"{path.name}.before-migration-from-*")
    return sorted(found, key=lambda backup: backup.stat().st_mtime_ns, reverse=True)


def stamp_of(now: int) -> str:
    """Return a time (microseconds) as a part of a file's name, to the second."""
    return rfc3339(now)[:19].replace(":", "-")


def regular_backup(path: Path, now: int) -> Path:
    """Return the name of a backup that is made *now* (microseconds)."""
    return path.with_name(path.name + FOLDER) / f"{stamp_of(now)}.sqlite"


def newest_backup(path: Path) -> Path | None:
    """Return the newest automatic backup of a database, if there is any."""
    return next(iter(backups_of(path)), None)


def prune_backups(path: Path, keep: int) -> None:
    """Remove all but the newest *keep* regular backups; those before migrations stay."""
    folder = path.with_name(path.name + FOLDER)
    for backup in [found for found in backups_of(path) if found.parent == folder][keep:]:
        backup.unlink(missing_ok=True)


# -- putting one back --------------------------------------------------------------------------


def lock_database(path: Path) -> Any:
    """Lock a database's file as long as what is returned is open: one Manager for each.

    Raises `DatabaseError` when a Manager has it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_file(beside(path, ".lock"))
    except OSError as error:
        raise DatabaseError(f"cannot use the database {path}: {error}") from error
    if lock is None:
        raise DatabaseError(f"another Manager uses {path}; stop it, or set another 'database:'")
    return lock


def put_back(path: Path, backup: Path, stamp: str) -> Path | None:
    """Make *backup* the database; return where the one before is kept, if there was one.

    Raises `DatabaseError` for a backup that is not sound, and while a Manager runs.
    """
    with contextlib.closing(lock_database(path)), contextlib.closing(_opened(backup)) as source:
        if damage := damage_in(source, thorough=True):
            raise DatabaseError(f"{backup} is damaged itself: {damage[0]}; choose another backup")
        _require_ours(backup, source)
        aside = beside(path, f".before-restore-{stamp}")
        with _unfinished(path) as copy:
            source.execute("VACUUM INTO ?", (str(copy),))
            _on_disk(copy)
            _set_aside(path, aside)
            copy.replace(path)
        sync_folder(path.parent)
    return aside if aside.exists() else None


def _opened(backup: Path) -> Any:
    try:
        return open_read_only(backup)
    except dbapi().Error as error:
        raise DatabaseError(f"cannot read the backup {backup}: {error}") from error


def _require_ours(backup: Path, source: Any) -> None:
    found = source.execute(
        "SELECT count(*) FROM sqlite_master WHERE name IN ('alembic_version', 'jobs', 'tasks')"
    ).fetchone()
    if found[0] != 3:
        raise DatabaseError(f"{backup} is no database of a Manager; choose another file")


def _set_aside(path: Path, aside: Path) -> None:
    """Keep the old file under another name, and its log with it.

    The log must be gone before the new file has the name: SQLite would lay it over that.
    """
    if aside.exists():
        raise DatabaseError(f"{aside} exists already; move it away first")
    if path.exists():
        # Linked, not renamed: at no moment is there no database at all.
        os.link(path, aside)
    for ending in ("-wal", "-shm"):
        if (log := beside(path, ending)).exists():
            log.rename(beside(aside, ending))
