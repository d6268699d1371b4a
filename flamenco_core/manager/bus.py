"""Tell what has happened, after it is committed.

Events get a number each. Live clients follow them; one that was away asks for what came
after its last number, and reads everything again if that is not known any more. Nobody
who listens can slow down or break the Manager: slow clients are told to start again,
plugins are called one after another in a task of their own.

With several Managers on one database, clients hear of events of all of them. Each Manager
gives its own numbers: whoever comes with a number of another one is told to read everything
again, as is everybody when something may have been missed. Plugins hear of an event on the
Manager on which it happened, and nowhere else: so a mail is sent once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flamenco_core.domain.events import Event
from flamenco_core.manager.audience import Audience
from flamenco_core.manager.subscription import BEHIND, Numbered, Subscription, text_of

if TYPE_CHECKING:
    from flamenco_core.host import Host
    from flamenco_core.plugins import Plugins

__all__ = ["Bus", "Numbered", "Subscription"]

log = logging.getLogger(__name__)

KEPT = 5_000
"""How many past events a client can catch up with ..."""
KEPT_TEXT = 16 * 1024 * 1024
"""... if what tasks have logged meanwhile is no longer than this (characters)."""
MANAGERS = 1_000
"""Numbers are this far apart; what is below tells the Managers of one farm apart."""


class Bus:
    """Passes committed events on to live clients and plugins."""

    def __init__(self, plugins: Plugins, host: Host, *, start: int = 0, apart: int = 1) -> None:
        # Numbers must not repeat after a restart: a client would miss what it never saw.
        self._number = start
        self._apart = apart
        self._past: deque[Numbered] = deque()
        self._past_text = 0
        self._subscriptions: set[Subscription] = set()
        # From the first event on, before there is a task that reads it.
        self._audience = Audience(plugins, host)
        self._closed = False
        self.missed = 0
        """How often a listener was so slow that it has missed some."""

    def __len__(self) -> int:
        return len(self._subscriptions)

    @property
    def number(self) -> int:
        """The number of the last event."""
        return self._number

    def publish(self, events: Iterable[Event]) -> None:
        """Tell committed events; never raises, never waits."""
        for event in events:
            # Two steps: to pass it on counts as well.
            numbered = self._pass_on(event)
            self.missed += self._audience.put(numbered)

    def relay(self, events: Iterable[Event]) -> None:
        """Tell clients of events that happened on another Manager, whose plugins know."""
        for event in events:
            self._pass_on(event)

    def reset(self) -> None:
        """Let all clients read everything again, those that come back later as well."""
        self._past.clear()
        self._past_text = 0
        self._pass_on(None)

    def _pass_on(self, event: Event | None) -> Numbered:
        self._number += self._apart
        numbered = Numbered(self._number, event, text_of(event))
        self._keep(numbered)
        for subscription in self._subscriptions:
            self.missed += not subscription.put(numbered)
        return numbered

    def _keep(self, numbered: Numbered) -> None:
        self._past.append(numbered)
        self._past_text += numbered.text
        while len(self._past) > KEPT or self._past_text > KEPT_TEXT:
            self._past_text -= self._past.popleft().text

    def subscribe(self, after: int | None = None) -> Subscription:
        """Follow events; *after* is the last number that the listener has seen."""
        subscription = Subscription()
        if after is not None and after != self._number:
            self._catch_up(subscription, after)
        if self._closed:
            subscription.close()
        else:
            self._subscriptions.add(subscription)
        return subscription

    def _catch_up(self, subscription: Subscription, after: int) -> None:
        missed = [numbered for numbered in self._past if numbered.number > after]
        known = bool(missed) and missed[0].number == after + self._apart and len(missed) < BEHIND
        for numbered in missed if known else [Numbered(self._number, None)]:
            subscription.put(numbered)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop following."""
        self._subscriptions.discard(subscription)

    async def tell_plugins(self) -> None:
        """Call every plugin's ``on_event`` for each event, until `end`."""
        await self._audience.run()

    def close(self) -> None:
        """End all streams; listeners may come back to the next Manager."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.close()

    def end(self) -> None:
        """Let `tell_plugins` end when it has told what there is."""
        self._audience.close()
