"""The database: one function, one transaction.

A use case is a plain function of a `Tx`. It runs top to bottom with no ``await`` in
between, in one transaction that commits as a whole or not at all; what comes back from
`Database.write` is on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from flamenco_core.clock import Clock
from flamenco_core.errors import DatabaseError
from flamenco_core.manager.store.batches import Batches
from flamenco_core.manager.store.line import Line
from flamenco_core.manager.store.transaction import Tx

__all__ = ["Database", "Deliver", "open_database"]

P = ParamSpec("P")
T = TypeVar("T")

Deliver = Callable[[Tx], None]
"""Called on the event loop with each committed transaction, in order of commit."""


class Database(Protocol):
    """What the Manager does with a database."""

    dialect: str
    line: Line
    """To the other Managers that use it; opened and closed by itself."""
    trouble: str
    """Why nothing can be written, for as long as that is so."""
    on_failed_disk: Callable[[str], None]
    """Called once when the disk failed: this process can store nothing any more."""
    batches: Batches
    """What went to the disk so far."""

    @property
    def queued(self) -> int:
        """How many changes wait for their turn."""

    async def start(self, deliver: Deliver) -> None:
        """Open it, bring its schema up to date and be ready.

        Raises `DatabaseError` when it cannot be used.
        """

    async def close(self) -> None:
        """Finish what was begun, and close it."""

    async def write(
        self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *fn* in a transaction; return its result once it is committed and durable.

        What *fn* raises undoes the transaction and is raised here. Raises `Busy` when the
        database is not to be had at the moment.
        """

    async def brief(
        self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do as `write` does, for an *fn* that runs few statements on few rows.

        It may run on the event loop: what takes longer would hold up everybody.
        """

    async def read(
        self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *fn* on a consistent state of the data; it must not write."""

    def has_space(self) -> bool:
        """Say whether the disk takes more than the next few changes, if that can be known."""

    async def look(self) -> str:
        """Say why what is written would be lost, as far as can be seen; and refuse it."""

    async def check(self) -> list[str]:
        """Look at all of the data beside everything else; return what is wrong with it."""

    async def back_up(self, age: float, keep: int) -> str:
        """Make a backup unless the newest is younger than *age* (seconds); return its path.

        All but the newest *keep* are removed. An empty text if none was made.
        """


def open_database(url: str, clock: Clock) -> Database:
    """Return the database for a SQLite path or a ``postgresql+psycopg://`` address.

    Raises `DatabaseError` for an address of another kind.
    """
    scheme, colon, path = url.partition("://")
    if colon and scheme in {"postgresql", "postgresql+psycopg"}:
        return _postgresql(f"postgresql+psycopg://{path}", clock)
    if not url or (colon and scheme != "sqlite"):
        raise DatabaseError(
            f"cannot use a database of kind {scheme!r}: 'database:' is a file for SQLite,"
            " or postgresql+psycopg://USER@HOST/NAME"
        )
    from flamenco_core.manager.store.sqlite import SqliteDatabase

    return SqliteDatabase(path.removeprefix("/") if colon else url, clock)


def _postgresql(url: str, clock: Clock) -> Database:
    try:
        from flamenco_core.manager.store.postgresql import PostgresDatabase
    except ImportError as error:
        raise DatabaseError(
            "PostgreSQL needs a driver: pip install 'flamenco-core[manager,postgresql]'"
        ) from error
    return PostgresDatabase(url, clock)
