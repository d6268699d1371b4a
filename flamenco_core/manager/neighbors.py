"""The other Managers on the same database: tell them what happens here, and listen.

What is heard is treated as if it had happened here, except that plugins do not hear of it:
those of the other Manager do.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import msgspec

from flamenco_core.domain.events import Event, JobUpdated
from flamenco_core.manager.introduction import (
    Introduction,
    checksums_of,
    differences,
    introduce,
    read_introduction,
)
from flamenco_core.manager.news import News, read_news, write_news

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["Neighbors"]

log = logging.getLogger(__name__)


class Neighbors:
    """One Manager's side of the line to the others; see `flamenco_core.manager.store.line`."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._line = manager.database.line
        self._introduction: Introduction | None = None
        self._changed: dict[str, Introduction] = {}
        self._settled: dict[str, Introduction] = {}

    async def start(self) -> None:
        """Take part in the line; raises `DatabaseError` when that is not possible."""
        if not self._line.is_shared:
            return
        self._introduction = introduce(self._manager)
        await self._line.start(self)

    def tell_settings(self) -> None:
        """Let the others know that this Manager goes by other settings now."""
        if self._introduction is not None:
            settings = checksums_of(self._manager.settings)
            self._introduction = attrs.evolve(self._introduction, settings=settings)
            self.tell(News(introduction=self._introduction))

    async def compare(self) -> None:
        """Say how the settings of others differ that were changed a while ago.

        A file that Managers share is read by one before the other: called every few
        seconds, this leaves each so long to read it, too.
        """
        for other in self._settled.values():
            self._compare(other)
        self._settled, self._changed = self._changed, {}

    def tell(self, news: News) -> None:
        """Tell the others, once it is committed."""
        if not self._line.is_alone and not news.is_empty:
            self._line.say(news, news.size)

    # -- what the line wants (see `Ears`) --------------------------------------------------

    def write(self, said: Sequence[News]) -> bytes:
        """Put news into words."""
        return write_news(said)

    def introduction(self) -> bytes:
        """Say who this Manager is."""
        return msgspec.json.encode(self._introduction)

    def heard(self, words: bytes) -> None:
        """Pass on what another Manager has told."""
        try:
            news = read_news(words)
        except ValueError:
            log.exception("another Manager said something that makes no sense here")
            self.missed()
            return
        manager = self._manager
        manager.forget_deleted(news.events)
        manager.bus.relay(news.events)
        manager.doorbell.ring(news.rings)
        for worker in news.woken:
            manager.doorbell.wake(worker)
        if news.introduction is not None:
            self._changed[news.introduction.name] = news.introduction
        if any(map(_asks_to_delete, news.events)):
            manager.deletion.wake()

    def met(self, introduction: bytes) -> None:
        """Look whether another Manager goes by the same settings; say what differs."""
        try:
            other = read_introduction(introduction)
        except ValueError:
            log.exception("another Manager is of a version that cannot be understood")
            return
        log.info("there is another Manager on this database: %s", other.name)
        self._compare(other)

    def _compare(self, other: Introduction) -> None:
        assert self._introduction is not None, "nobody is heard before the start"
        for difference in differences(self._introduction, other):
            log.warning("another Manager on this database (%s): %s", other.name, difference)

    def left(self) -> None:
        """Give all workers time: those of the Manager that left will come here."""
        self._manager.timeouts.manager_left()

    def missed(self) -> None:
        """Let everybody look for themselves."""
        manager = self._manager
        manager.forget_everybody()
        manager.bus.reset()
        manager.doorbell.ring_for_all()
        manager.deletion.wake()


def _asks_to_delete(event: Event) -> bool:
    return isinstance(event, JobUpdated) and event.job.delete_requested_at is not None
