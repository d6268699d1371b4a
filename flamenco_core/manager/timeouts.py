"""Find workers that are silent for too long.

On a file, the one Manager decides by its own memory. Where several share a database, it
says who is silent, by its own clock, and one of them decides. That one needs to have
watched without a break for as long as the worker may be silent: while the database was
away, or when its clock was set, nobody could be heard or the times mean nothing; when a
Manager has died, its workers need time to call another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol

from flamenco_core.clock import Clock
from flamenco_core.errors import NotFound
from flamenco_core.manager.liveness import Liveness
from flamenco_core.manager.shared_liveness import GATHER, SharedLiveness, microseconds
from flamenco_core.manager.store import contacts
from flamenco_core.manager.store.database import Database
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.silence import give_up_silent
from flamenco_core.manager.usecases.workers import give_up_workers

__all__ = ["OwnTimeouts", "SharedTimeouts", "Timeouts"]

GetRules = Callable[[], Rules]
"""Says what the rules are now."""
MARGIN = 2 * GATHER
"""Seconds: what another Manager has heard may not be stored yet."""
JUMP = 2.0
"""Seconds by which the database's clock and ours may drift between two looks."""
BREAK = 5.0
"""Seconds without a look after which it was no watching."""


class Timeouts(Protocol):
    """Gives up workers."""

    async def give_up_overdue(self) -> None:
        """Return the tasks of workers that are silent for too long to the queue."""

    def start_again(self) -> None:
        """Give every worker a full time-out to call."""


class OwnTimeouts:
    """Goes by this Manager's memory."""

    def __init__(self, database: Database, liveness: Liveness, rules: GetRules) -> None:
        self._database = database
        self._liveness = liveness
        self._rules = rules

    async def give_up_overdue(self) -> None:
        """Return the tasks of workers that are silent for too long to the queue."""
        for worker in self._liveness.overdue():
            # Each by itself: one that was deleted meanwhile must not keep the others.
            with contextlib.suppress(NotFound):
                await self._database.write(give_up_workers, [worker], self._rules())
            self._liveness.forget(worker)

    def start_again(self) -> None:
        """Do nothing: there is no other Manager whose workers might come."""


class Watch:
    """Since when nothing has disturbed the watching."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._offset: float | None = None
        self.start_again()

    def start_again(self) -> None:
        """Begin anew."""
        self._since = self._last = self._monotonic()

    def look(self, database_time: int) -> float:
        """Note a look at this time (microseconds); return for how long there was no break."""
        now = self._monotonic()
        offset = database_time / 1_000_000 - now
        was_set = self._offset is not None and abs(offset - self._offset) > JUMP
        if was_set or now - self._last > BREAK:
            self.start_again()
        self._last, self._offset = now, offset
        return now - self._since


class SharedTimeouts:
    """Goes by the database's word."""

    def __init__(
        self,
        database: Database,
        liveness: SharedLiveness,
        rules: GetRules,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._liveness = liveness
        self._rules = rules
        self._watch = Watch(clock.monotonic)

    def start_again(self) -> None:
        """Give every worker a full time-out to call."""
        self._watch.start_again()

    async def give_up_overdue(self) -> None:
        """Return the tasks of workers that are silent for too long to the queue."""
        margin = microseconds(MARGIN)
        silent = await self._database.read(contacts.find_silent, margin)
        watched = microseconds(self._watch.look(silent.now))
        if silent.unknown:
            patience = microseconds(self._liveness.patience)
            await self._database.write(contacts.expect, silent.unknown, patience)
        for worker, patience in silent.overdue.items():
            if watched >= patience and self._liveness.is_silent(worker):
                await self._give_up(worker, margin)

    async def _give_up(self, worker: str, margin: int) -> None:
        # Each by itself: one that was deleted meanwhile must not keep the others.
        with contextlib.suppress(NotFound):
            if await self._database.write(give_up_silent, worker, margin, self._rules()):
                self._liveness.forget(worker)
