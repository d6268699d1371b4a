"""What SQLite's errors mean for whoever waits for the database."""

from __future__ import annotations

from flamenco_core.errors import Busy, DatabaseError, FlamencoError, StorageFull
from flamenco_core.manager.store.sqlite_library import dbapi

__all__ = ["in_words", "is_final"]

_HELD = Busy, "another program holds the database; try again"
_DAMAGED = (
    DatabaseError,
    "the database is damaged ({error}); stop the Manager, and put a backup back with"
    " 'flamenco db restore'",
)
# By SQLite's numbers; the lower byte is the kind of error, the rest says more.
_KNOWN: dict[int, tuple[type[FlamencoError], str]] = {
    5: _HELD,
    6: _HELD,
    8: (DatabaseError, "the database file is read-only; let the Manager's user write to it"),
    11: _DAMAGED,
    13: (StorageFull, "the disk of the database is full; make space, nothing is lost"),
    26: _DAMAGED,
}
_IO, _FSYNC, _FOLDER_FSYNC = 10, 10 | 4 << 8, 10 | 5 << 8


def is_final(error: BaseException | None) -> bool:
    """Say whether a commit that failed so may be on the disk or not, and nobody can know.

    After a failed fsync the system forgets what it could not write: the next one succeeds
    and proves nothing. Only a new process reads what there really is. Not every driver
    tells what kind of I/O error it was.
    """
    return _code(error) in {_IO, _FSYNC, _FOLDER_FSYNC}


def in_words(error: Exception) -> Exception:
    """Return what an error of SQLite means; others as they are."""
    found = _KNOWN.get(_code(error) & 0xFF)
    if found is not None:
        kind, words = found
        return kind(words.format(error=error))
    is_environment = isinstance(error, dbapi().OperationalError)
    return DatabaseError(f"the database cannot be used: {error}") if is_environment else error


def _code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0) or 0
