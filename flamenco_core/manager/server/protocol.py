"""A connection of uvicorn's that tells how far it is, and can be given up."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from flamenco_core.manager.server.lines import LINGER, Lines, State

__all__ = ["make_protocol"]

_TEXT = b'{"code":408,"message":"the request took too long to come"}'
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_TEXT), _TEXT)
)
_WORK = State("work")


class _Timer:
    """Stands in for a timer that is never due."""

    def cancel(self) -> None:
        """Do nothing."""


_ARMED = _Timer()


class _Loop:
    """What uvicorn's connections use of an event loop, without the timers.

    It would set and cancel one with every request, to end idle connections; that is looked
    after with all the rest.
    """

    __slots__ = ("create_task",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.create_task = loop.create_task

    def call_later(self, seconds: float, call: object) -> _Timer:
        """Return what says that the connection is idle now."""
        return _ARMED


class _Bounded(asyncio.Protocol):
    """What is added to either of uvicorn's protocols, httptools' and h11's.

    It knows of them: ``loop``, which makes tasks and timers, ``transport``, ``client``,
    ``cycle`` (the newest request, with ``more_body``, ``response_started`` and
    ``response_complete``), ``flow`` and ``timeout_keep_alive_task``. The tests of slow
    clients run with both.
    """

    lines: Lines
    address = ""
    state: State | None = None
    since = 0.0
    _reads = 0

    loop: Any
    transport: asyncio.Transport
    client: tuple[str, int] | None
    cycle: Any
    flow: Any
    timeout_keep_alive_task: Any

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start, unless there are too many."""
        super().connection_made(transport)
        self.loop = _Loop(self.loop)
        self.address = self.client[0] if self.client else ""
        if not self.lines.admit(self):
            # Without an answer: Flamenco's Workers try again when a connection fails, but
            # take a 503 at sign-on for the loss of their registration.
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.lines.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note that something came, and read it."""
        self._reads += 1
        super().data_received(data)

    def handle_websocket_upgrade(self, *args: Any) -> None:
        """Hand the connection on; a WebSocket has time-outs of its own."""
        self.lines.leave(self)
        super().handle_websocket_upgrade(*args)  # type: ignore[misc]

    def look(self) -> State:
        """Return what this connection is busy with."""
        cycle, lines = self.cycle, self.lines
        if self.flow.write_paused or self.transport.is_closing():
            left = self.transport.get_write_buffer_size()
            return State("answer", lines.stall, cycle, left)
        if cycle is None:
            return State("head", lines.head)
        if not cycle.response_complete:
            return self._body() if cycle.more_body else _WORK
        if cycle.more_body:
            return State("unwanted", LINGER, cycle)
        if self.timeout_keep_alive_task:
            return State("idle", lines.idle, cycle)
        return State("head", lines.head, cycle)

    def _body(self) -> State:
        cycle, lines = self.cycle, self.lines
        if self.flow.read_paused:
            return _WORK  # it is we who do not read
        if _is_json(cycle.scope["headers"]):
            return State("body", lines.json_body, cycle)
        return State("upload", lines.stall, cycle, self._reads)

    def give_up(self, state: State) -> None:
        """Close, with a word if the client may still be listening."""
        if state.word in {"head", "body", "upload"} and not self._is_answering():
            self.transport.write(_TOO_SLOW)
            self.transport.close()
        elif state.word == "idle":
            self.transport.close()
        else:
            self.transport.abort()

    def _is_answering(self) -> bool:
        cycle = self.cycle
        return cycle is not None and cycle.response_started and not cycle.response_complete


def _is_json(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(k == b"content-type" and v[:16].lower() == b"application/json" for k, v in headers)


def make_protocol(lines: Lines, base: type[asyncio.Protocol] = AutoHTTPProtocol) -> Any:
    """Return a class of connections that *lines* watches over."""
    return type("BoundedProtocol", (_Bounded, base), {"lines": lines})
