"""How large a body may be: said before it is read, and counted while it comes.

Litestar's own limit is fixed when the application is made, and its answer does not say
which setting it is. So this is done for all routes that do not have a limit of Litestar's.
"""

from __future__ import annotations

from typing import Any

from litestar.types import Message, Receive, Scope

from flamenco_core.errors import BadRequest
from flamenco_core.manager.intake import BODY, Intake, Largest

__all__ = ["bounded"]


def bounded(scope: Scope, receive: Receive, intake: Intake) -> Receive:
    """Return what receives no more than the settings allow.

    Raises `TooLarge` by the announced length, or while reading if there is none.
    """
    length, is_chunked = _announced(scope)
    if length is None and not is_chunked:
        return receive
    handler: Any = scope["route_handler"]
    if handler.resolve_request_max_body_size() is not None:
        return receive  # the route has a limit of its own
    largest = intake.largest[handler.opt.get(BODY, "body")]
    if length is not None and not is_chunked:
        # The server sees to it that no more comes than was announced.
        largest.refuse(length)
        return receive
    return _counted(receive, largest)


def _announced(scope: Scope) -> tuple[int | None, bool]:
    length, is_chunked = None, False
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = _number(value)
        elif name == b"transfer-encoding":
            is_chunked = True
    return length, is_chunked


def _number(value: bytes) -> int:
    if not value.isdigit() or len(value) > 18:
        raise BadRequest(f"Content-Length must be a number of bytes, not {value[:20]!r}")
    return int(value)


def _counted(receive: Receive, largest: Largest) -> Receive:
    length = 0

    async def receive_some() -> Message:
        nonlocal length
        message: Any = await receive()
        length += len(message.get("body", b""))
        largest.refuse(length)
        return message  # type: ignore[no-any-return]

    return receive_some  # type: ignore[return-value]
