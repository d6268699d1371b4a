"""What Managers that share a database say to each other, and which of them does what.

Events and wake-ups reach who is connected to another Manager over the *line*. It carries
hints: what counts is in the database, and who may have missed something is told so. Work
that only one Manager may do is a *duty*; the line knows who has which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

__all__ = ["Ears", "Line", "NoLine"]


class Ears(Protocol):
    """Who listens to a line; all but `write` are called on the event loop."""

    def write(self, said: Sequence[Any]) -> bytes:
        """Put into words what was given to `Line.say`; called by the line's thread."""

    def introduction(self) -> bytes:
        """Say who this Manager is."""

    def heard(self, words: bytes) -> None:
        """Another Manager has said this."""

    def met(self, introduction: bytes) -> None:
        """There is another Manager."""

    def left(self) -> None:
        """Another Manager is gone; its workers and clients may come here."""

    def missed(self) -> None:
        """Others may have said something that was not heard here."""


class Line(Protocol):
    """The line of one Manager."""

    is_shared: bool
    """Whether there may ever be others."""
    is_alone: bool
    """Whether there is nobody to say anything to."""

    async def start(self, ears: Ears) -> None:
        """Take part; raises `DatabaseError` when that is not possible."""

    async def close(self) -> None:
        """Say what is left, take leave and give all duties away."""

    def say(self, said: Any, size: int = 0) -> None:
        """Let the others know; never raises, never waits. *size* is what it takes (bytes)."""

    async def taken(self, duty: str) -> None:
        """Return when this Manager has a duty; until then others have it.

        It has it at some moment after the call: what was known before may be long ago.
        """

    async def lost(self, duty: str) -> None:
        """Return when this Manager has a duty no longer."""

    def doing(self, duty: str) -> AbstractContextManager[None]:
        """Let what is asked of the database inside be refused once the duty is lost.

        It raises `DutyLost` then, and changes nothing.
        """


class NoLine:
    """The line of a Manager that has its database for itself."""

    is_shared = False
    is_alone = True

    async def start(self, ears: Ears) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    def say(self, said: Any, size: int = 0) -> None:
        """Do nothing."""

    async def taken(self, duty: str) -> None:
        """Return at once: nobody else could have it."""

    async def lost(self, duty: str) -> None:
        """Never return."""
        await asyncio.Event().wait()

    def doing(self, duty: str) -> AbstractContextManager[None]:
        """Refuse nothing."""
        return nullcontext()
