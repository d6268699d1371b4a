"""What one Manager tells the others: events and wake-ups, as JSON.

An event is its class's name and its fields. One that a Manager does not know, because the
other has another version, is left out: events are hints.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import msgspec

from flamenco_core.domain import events as all_events
from flamenco_core.domain.events import Event, HostEvent
from flamenco_core.manager.introduction import Introduction
from flamenco_core.manager.store.transaction import Pool

__all__ = ["News", "read_news", "write_news"]

log = logging.getLogger(__name__)

_KINDS = {
    name: kind
    for name in all_events.__all__
    if isinstance(kind := getattr(all_events, name), type)
    and issubclass(kind, Event)
    # What happens to a process concerns nobody else.
    and not issubclass(kind, HostEvent)
}
_json = msgspec.json.Encoder()


@attrs.frozen(kw_only=True)
class News:
    """What a committed transaction has to tell, or several of them."""

    events: Sequence[Event] = ()
    rings: Sequence[tuple[Pool, int]] = ()
    woken: Sequence[str] = ()
    introduction: Introduction | None = None
    """Of the Manager that tells it, when that goes by other settings than before."""
    size: int = 0
    """How much memory it takes, if that is notable (bytes)."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.events or self.rings or self.woken or self.introduction)


@attrs.frozen(kw_only=True)
class _Written:
    events: list[tuple[str, Any]]
    rings: list[tuple[Pool, int]]
    woken: list[str]
    introduction: Introduction | None = None


def write_news(news: Iterable[News]) -> bytes:
    """Put several news into one text, in their order."""
    told = [*news]
    written = _Written(
        events=[(type(event).__name__, event) for one in told for event in one.events],
        rings=[ring for one in told for ring in one.rings],
        woken=[worker for one in told for worker in one.woken],
        introduction=next((one.introduction for one in reversed(told) if one.introduction), None),
    )
    return _json.encode(written)


def read_news(text: bytes) -> News:
    """Read what `write_news` has written; raises `ValueError` for something else."""
    written = msgspec.json.decode(text, type=_Written)
    events = [_event(name, fields) for name, fields in written.events]
    known = [event for event in events if event is not None]
    return News(
        events=known,
        rings=written.rings,
        woken=written.woken,
        introduction=written.introduction,
    )


def _event(name: str, fields: Any) -> Event | None:
    try:
        return msgspec.convert(fields, _KINDS[name])
    except (KeyError, msgspec.ValidationError) as error:
        log.debug("another Manager told an event that is not known here: %s: %r", name, error)
        return None
