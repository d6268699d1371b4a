"""Find workers that are silent for too long.

On a file, the one Manager decides by its own memory. Where several share a database, it
says who is silent, by its own clock, and one of them decides. That one needs to have
watched without a break for as long as the worker may be silent: while the database was
away, or when its clock was set, nobody could be heard or the times mean nothing. All
Managers watch, so that each can take over.

When a Manager has gone, its workers need some time to call another, and the last that it
has heard of them may not be stored. That is all they get: who was silent before is given
up when its time-out is over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol

from flamenco_core.clock import Clock
from flamenco_core.errors import NotFound
from flamenco_core.manager.liveness import Liveness
from flamenco_core.manager.shared_liveness import (
    GATHER,
    SharedLiveness,
    microseconds,
    stored_after,
)
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
GRACE = 70.0
"""Seconds in which every worker calls another Manager: Flamenco's own after up to 66."""
BREAK = 5.0
"""Seconds without a look after which it was no watching."""


class Timeouts(Protocol):
    """Gives up workers."""

    async def give_up_overdue(self) -> None:
        """Return the tasks of workers that are silent for too long to the queue."""

    async def watch(self) -> None:
        """Look whether there is any reason not to trust what is stored."""

    def manager_left(self) -> None:
        """Give the workers of a Manager that has gone time to call another."""


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

    async def watch(self) -> None:
        """Do nothing: there is only this Manager's memory."""

    def manager_left(self) -> None:
        """Do nothing: there is no other Manager whose workers might come."""


class Watch:
    """Since when nothing has disturbed the watching."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._offset: float | None = None
        self._since = self._last = monotonic()

    def look(self, database_time: int) -> float:
        """Note a look at this time (microseconds); return for how long there was no break."""
        now = self._monotonic()
        offset = database_time / 1_000_000 - now
        was_set = self._offset is not None and abs(offset - self._offset) > JUMP
        if was_set or now - self._last > BREAK:
            self._since = now
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
        self._clock = clock
        self._watch = Watch(clock.monotonic)
        self._left_at = float("-inf")

    async def watch(self) -> None:
        """Look at the database's clock; also while another Manager decides."""
        self._watch.look(await self._database.read(contacts.read_clock))

    def manager_left(self) -> None:
        """Give the workers of a Manager that has gone time to call another."""
        self._left_at = self._clock.monotonic()

    async def give_up_overdue(self) -> None:
        """Return the tasks of workers that are silent for too long to the queue."""
        margin = microseconds(MARGIN)
        silent = await self._database.read(contacts.find_silent, margin)
        watched = self._watch.look(silent.now)
        if silent.unknown:
            patience = microseconds(self._liveness.patience)
            await self._database.write(contacts.expect, silent.unknown, patience)
        for worker, silence in silent.overdue.items():
            if self._has_had_its_time(silence, watched) and self._liveness.is_silent(worker):
                await self._give_up(worker, margin)

    def _has_had_its_time(self, silence: contacts.Silence, watched: float) -> bool:
        patience = silence.patience / 1_000_000
        # What a Manager that has gone has heard last.
        unstored = stored_after(patience)
        alone = self._clock.monotonic() - self._left_at
        if alone < patience + unstored and silence.lasts / 1_000_000 < patience + unstored:
            return False
        return watched >= patience and alone >= min(patience, GRACE)

    async def _give_up(self, worker: str, margin: int) -> None:
        # Each by itself: one that was deleted meanwhile must not keep the others.
        with contextlib.suppress(NotFound):
            if await self._database.write(give_up_silent, worker, margin, self._rules()):
                self._liveness.forget(worker)
