"""Remember who the workers are, so that a request does not ask the database first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flamenco_core.clock import Clock
from flamenco_core.domain.events import Event, WorkerDeleted, WorkerSecretChanged
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.database import Database

__all__ = ["Credentials"]

FRESH = 2.0
"""Seconds after which a database that other Managers write as well is asked again.

They say at once what they delete; this is for the time in which the line is broken.
"""


class Credentials:
    """The names and secret hashes of workers that called.

    Unknown workers are not remembered: they can call themselves anything, and may register
    the next moment. A deleted one is forgotten before its deletion is answered, one with
    another secret before the change of that is. One that waits for approval is not
    remembered: it may be let in by the next moment, by any Manager.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, tuple[Any, float]] = {}
        self._deletions = 0

    async def of(self, worker: str, fits: Callable[[Any], bool]) -> Any:
        """Return the row with ``name`` and ``secret_hash`` of a worker, or `None`.

        One that is remembered and does not *fit* is looked up again: another Manager may
        have changed it a moment ago. ``is_removed`` says that the farm had given it up; it
        is not remembered then.
        """
        row, until = self._known.get(worker, (None, 0.0))
        if row is not None and self._clock.monotonic() < until and fits(row):
            return row
        before = self._deletions
        row = await self._database.read(worker_rows.credentials, worker)
        # What was read before a deletion may be of the worker that is deleted.
        lasts = row is not None and not (row.is_removed or row.is_pending)
        if lasts and before == self._deletions:
            self._known[worker] = (row, self._clock.monotonic() + self._lifetime)
        return row

    @property
    def _lifetime(self) -> float:
        return float("inf") if self._database.dialect == "sqlite" else FRESH

    def forget_all(self) -> None:
        """Forget everybody: some may be gone, and nobody knows who."""
        self._deletions += 1
        self._known.clear()

    def forget_deleted(self, events: Iterable[Event]) -> None:
        """Forget workers that committed events say are gone, or have another secret."""
        for event in events:
            if isinstance(event, WorkerDeleted | WorkerSecretChanged):
                self._deletions += 1
                self._known.pop(event.worker.id, None)
