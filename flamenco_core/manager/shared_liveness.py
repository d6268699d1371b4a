"""Tell other Managers, by way of the database, which workers are alive.

A request must not wait for that, nor write anything: contacts are gathered for a moment and
stored together, and only those of workers whose stored contact has become old.
"""

from __future__ import annotations

import asyncio
import logging

from flamenco_core.clock import Clock
from flamenco_core.errors import FlamencoError
from flamenco_core.manager.liveness import Liveness
from flamenco_core.manager.store.contacts import Contact, keep_contacts
from flamenco_core.manager.store.database import Database

__all__ = ["GATHER", "LONGEST", "SharedLiveness", "microseconds", "stored_after"]

log = logging.getLogger(__name__)

GATHER = 0.2
"""Seconds from a contact until it is stored, at most; then all others see it."""
AGAIN = 1.0
"""Seconds until contacts are stored again after that has failed."""
OLD = 0.25
"""A stored contact is old after this part of the worker's time-out ..."""
OLDEST = 15.0
"""... or after so many seconds."""
LONGEST = 10 * 365 * 86_400.0
"""Seconds; stands for a time-out that never ends."""


class SharedLiveness(Liveness):
    """Who was heard of when, by this Manager; stored for the others."""

    def __init__(self, clock: Clock, patience: float, database: Database) -> None:
        super().__init__(clock, patience)
        self._database = database
        self._stored_at: dict[str, float] = {}
        self._to_store: set[str] = set()
        self._is_asked = asyncio.Event()

    def heard(self, worker: str, beat: float | None = None) -> None:
        """Note that a worker called; *beat* is how often it means to (seconds)."""
        super().heard(worker, beat)
        contact = self._contacts[worker]
        age = contact.at - self._stored_at.get(worker, float("-inf"))
        if age >= stored_after(contact.patience):
            self._stored_at[worker] = contact.at
            self._to_store.add(worker)
            self._is_asked.set()

    def forget(self, worker: str) -> None:
        """Expect no calls of a worker any more."""
        super().forget(worker)
        self._stored_at.pop(worker, None)
        self._to_store.discard(worker)

    def is_silent(self, worker: str) -> bool:
        """Say whether this Manager, too, has not heard of a worker for its whole time-out."""
        contact = self._contacts.get(worker)
        return contact is None or self._clock.monotonic() - contact.at > contact.patience

    async def run(self) -> None:
        """Store contacts, until it is cancelled."""
        while True:
            await self._is_asked.wait()
            await self._clock.sleep(GATHER)
            try:
                await self.store()
            except FlamencoError as error:
                # No growing pauses: once the database is back, this must not come late.
                log.warning("cannot store which workers are alive: %s", error)
                await self._clock.sleep(AGAIN)

    async def store(self) -> None:
        """Store the contacts that were gathered."""
        self._forget_gone()
        self._is_asked.clear()
        names, self._to_store = self._to_store, set()
        now = self._clock.monotonic()
        found = [(name, self._contacts[name]) for name in names if name in self._contacts]
        contacts = [
            Contact(
                worker=name,
                age=microseconds(now - contact.at),
                patience=microseconds(contact.patience),
            )
            for name, contact in found
        ]
        try:
            await self._database.write(keep_contacts, contacts)
        except BaseException:
            # Again with the next one: nobody must be given up because this did not work.
            self._to_store |= names
            self._is_asked.set()
            raise

    def _forget_gone(self) -> None:
        # They call another Manager now, or were given up or deleted there.
        for worker in self.overdue():
            if self._contacts[worker].is_saved:
                self.forget(worker)


def stored_after(patience: float) -> float:
    """Return how old a stored contact may get before it is stored again; all in seconds."""
    return min(patience * OLD, OLDEST)


def microseconds(seconds: float) -> int:
    """Return a duration as the database keeps it."""
    return round(min(seconds, LONGEST) * 1_000_000)
