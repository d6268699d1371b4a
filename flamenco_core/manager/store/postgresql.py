"""PostgreSQL: a pool of connections, row locks, and the same functions as on SQLite.

Several Managers may share one database. A transaction that loses a race (deadlock,
serialization) is run again: use cases have no effect outside of their transaction.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from flamenco_core.clock import Clock
from flamenco_core.errors import Busy, DatabaseError
from flamenco_core.manager.store.database import Deliver
from flamenco_core.manager.store.migrate import upgrade
from flamenco_core.manager.store.transaction import Tx

__all__ = ["PostgresDatabase"]

log = logging.getLogger(__name__)

CONNECTIONS = 8
RETRIES = 10
LOST_RACES = {"40001", "40P01"}
"""SQLSTATE of a serialization failure and of a deadlock."""


class PostgresDatabase:
    """A PostgreSQL database."""

    dialect = "postgresql"

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock

    async def start(self, deliver: Deliver) -> None:
        """Connect and migrate.

        Raises `DatabaseError` when the server cannot be reached.
        """
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        # Overflow connections would be opened and closed all the time under load.
        self._engine = create_engine(self._url, pool_size=CONNECTIONS, max_overflow=0)
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="flamenco-sql")
        try:
            await self._in_thread(upgrade, self._engine)
        except OperationalError as error:
            await self.close()
            raise DatabaseError(f"cannot use {self._engine.url!r}: {error.orig}") from error

    async def close(self) -> None:
        """Close all connections."""
        if hasattr(self, "_engine"):
            await asyncio.to_thread(self._threads.shutdown)
            self._engine.dispose()

    async def write(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run *fn* in a transaction; return its result when it is committed."""
        tx, result = await self._in_thread(self._transact, fn, args, kwargs)
        self._deliver(tx)
        return result

    async def read(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run *fn* in a transaction that is not kept."""
        _, result = await self._in_thread(self._transact, fn, args, kwargs, keep=False)
        return result

    async def _in_thread(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        work = self._loop.run_in_executor(self._threads, lambda: fn(*args, **kwargs))
        # A request that is given up must not hide what was committed all the same.
        return await asyncio.shield(work)

    def _transact(
        self, fn: Callable[..., Any], args: Any, kwargs: Any, *, keep: bool = True
    ) -> tuple[Tx, Any]:
        for _ in range(RETRIES):
            try:
                return self._once(fn, args, kwargs, keep=keep)
            # The border to the driver: only what a new try can mend is caught for good.
            except Exception as error:
                if getattr(error, "sqlstate", None) not in LOST_RACES:
                    raise _in_words(error) from error
        raise Busy("the database is too busy with other changes; try again")

    def _once(
        self, fn: Callable[..., Any], args: Any, kwargs: Any, *, keep: bool
    ) -> tuple[Tx, Any]:
        with self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor:
                tx = Tx(cursor, self.dialect, self._clock.now())
                try:
                    result = fn(tx, *args, **kwargs)
                except BaseException:
                    driver.rollback()
                    raise
                (driver.commit if keep else driver.rollback)()
        return tx, result


def _in_words(error: Exception) -> Exception:
    name = type(error).__name__
    if name in {"OperationalError", "AdminShutdown", "InterfaceError"}:
        return Busy(f"the database does not answer: {error}")
    return error
