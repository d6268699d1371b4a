"""Reading server-sent events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

__all__ = ["ServerEvent", "events_in"]


@attrs.frozen
class ServerEvent:
    """One event: its number, its name (``job``, ``task``, ``log``, ...) and its JSON text."""

    id: str
    name: str
    data: str


def events_in(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """Put the lines of a stream together to events; comments and unknown fields are skipped."""
    last_id, name, data = "", "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(last_id, name, "\n".join(data))
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            last_id = value
