"""One connection of a Manager's line: all SQL of it; for the line's thread only.

Session locks say who is there and who has which duty. PostgreSQL frees them in the very
moment in which the connection ends, which is when the process dies: no clock decides, and
nobody has to renew anything. A machine that vanishes with its network is noticed by
keep-alive packets, within `GONE` seconds.

A process that is frozen keeps its connection. But a line asks for something every second,
and the server knows when, by its own clock; the others end a session that was silent for
`FROZEN` seconds. What the frozen Manager does when it thaws is refused (see `duty`).
"""

from __future__ import annotations

import select
import socket
from collections.abc import Collection, Iterable
from typing import Any

import psycopg

from flamenco_core.clock import new_id
from flamenco_core.manager.store.duty import DUTY, FENCE, THERE

__all__ = ["Session"]

CHANNEL = "flamenco"
GONE = 9
"""Seconds until both ends notice that the other end's machine has vanished."""
KEEP_ALIVE: dict[str, Any] = {
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": GONE * 1000,
}

FROZEN = 30
"""Seconds without a word after which a Manager is frozen, and others do what it should."""

_LISTEN = f"LISTEN {CHANNEL}"
_SETTINGS = "SELECT set_config($1, $2, false)"
_ENTER = f"SELECT pg_try_advisory_lock({THERE}, $1::int)"
_OTHERS = f"""
    SELECT objid::bigint FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE datname = current_database() AND locktype = 'advisory' AND granted
    AND classid = {THERE} AND objsubid = 2 AND objid <> $1::int
"""  # noqa: S608
_END_SILENT = f"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE datname = current_database() AND locktype = 'advisory' AND granted
    AND classid = {THERE} AND objsubid = 2 AND pid <> pg_backend_pid()
    AND state_change < clock_timestamp() - make_interval(secs => $1)
"""  # noqa: S608
_TAKE = f"""
    SELECT name FROM unnest($1::text[]) AS name
    WHERE pg_try_advisory_lock({DUTY}, hashtext(name))
"""  # noqa: S608
# Nobody waits here: the line has more to do.
_IS_FREE = f"""
    SELECT name FROM unnest($1::text[]) AS name
    WHERE pg_try_advisory_xact_lock({FENCE}, hashtext(name))
"""  # noqa: S608
_SEND = f"SELECT pg_notify('{CHANNEL}', frame) FROM unnest($1::text[]) AS frame"  # noqa: S608


class Session:
    """A connection that listens; raises `psycopg.Error` when it breaks, whatever is asked.

    ``number`` is who it is: another one for each connection; ``process`` is the server's.
    """

    def __init__(self, url: str) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            url.replace("postgresql+psycopg", "postgresql", 1),
            autocommit=True,
            cursor_factory=psycopg.RawCursor,
            application_name="flamenco line",
            connect_timeout=GONE,
            **KEEP_ALIVE,
        )
        self.process = self._connection.info.backend_pid
        self._taken: set[str] = set()
        try:
            self._set_up()
            self.number = self._enter()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        # The server's end must notice as well, or it would keep the locks for hours.
        for name, value in KEEP_ALIVE.items():
            setting = name.replace("keepalives", "tcp_keepalives")
            self._connection.execute(_SETTINGS, [setting, str(value)])
        self._connection.execute("SET synchronous_commit = off")
        # First: whoever knows of us may say something.
        self._connection.execute(_LISTEN)

    def _enter(self) -> int:
        while True:
            number = int(new_id()[:8], 16) % (2**31 - 1) + 1
            if self._all(_ENTER, number)[0][0]:
                return number

    def others(self) -> set[int]:
        """Return the numbers of the other Managers."""
        return {row[0] for row in self._all(_OTHERS, self.number)}

    def end_frozen(self) -> bool:
        """End the sessions of Managers that were silent for too long; say if there were any."""
        return any(row[0] for row in self._all(_END_SILENT, FROZEN))

    def take(self, duties: Collection[str]) -> set[str]:
        """Take those duties that nobody has; return them. Ask for none that is returned.

        One whose last transaction of the Manager before is not at its end yet comes later.
        """
        if not duties:
            return set()
        # Once for each: a session can have the same lock many times.
        self._taken.update(row[0] for row in self._all(_TAKE, [*{*duties} - self._taken]))
        return {row[0] for row in self._all(_IS_FREE, [*self._taken & {*duties}])}

    def prove(self) -> None:
        """Show that it still lives, and so has whatever it had."""
        self._all("SELECT 1")

    def send(self, frames: Iterable[str]) -> None:
        """Send frames to all, in one transaction."""
        self._all(_SEND, list(frames))

    def receive(self) -> list[str]:
        """Return the frames that came."""
        return [notify.payload for notify in self._connection.notifies(timeout=0)]

    def wait(self, bell: socket.socket, seconds: float) -> None:
        """Wait until something comes, or *bell* can be read."""
        ends: list[Any] = [self._connection.fileno(), bell]
        select.select(ends, [], [], seconds)

    def close(self) -> None:
        """End it; all that it had is free."""
        self._connection.close()

    def _all(self, text: str, *values: Any) -> list[Any]:
        return self._connection.execute(text, values).fetchall()
