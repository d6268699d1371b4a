"""What all controllers share: bodies in and out, ids, and what headers say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.response import Stream
from litestar.types import Receive, Scope, Send

from flamenco_core.errors import BadRequest
from flamenco_core.manager.configuration import Author
from flamenco_core.manager.host import Manager
from flamenco_core.offers.identity import Identity
from flamenco_core.wire.converter import decode, encode

__all__ = [
    "Answer",
    "Request",
    "Stream",
    "as_id",
    "author_of",
    "beat_of",
    "body_of",
    "empty",
    "identity_of",
    "manager_of",
    "path_id",
    "peer",
    "prefers",
    "reply",
    "worker_of",
]

T = TypeVar("T")
Taken = Literal["strict", "job", "free_text"]

JSON = "application/json"
BIG = 256 * 1024
"""Bytes from which on a body is decoded beside the event loop."""
LONGEST_BEAT = 60.0
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Answer:
    """A whole answer. Litestar's own class takes longer to make than this to send."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._body = body
        self._status = status
        self._headers = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
        if body:
            self._headers.append((b"content-type", media_type.encode()))
        if status not in {204, 304}:
            self._headers.append((b"content-length", str(len(body)).encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        start: Any = {"type": "http.response.start", "status": self._status}
        await send(start | {"headers": self._headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})


def manager_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Manager:
    """Return the Manager that serves this connection."""
    return connection.scope["state"]["manager"]  # type: ignore[no-any-return]


async def body_of(request: Request[Any, Any, Any], kind: type[T], taken: Taken = "strict") -> T:
    """Read a JSON body; *taken* says which of the Manager's limits it has to keep.

    Raises `BadRequest` for another content type: a web page on another site can send a
    form or a plain text without asking, but not JSON.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise BadRequest(f"the body must be {JSON}, not {content_type or 'without a type'}")
    body = await request.body()
    fitness = getattr(manager_of(request).intake, taken)
    if len(body) > BIG:
        return await asyncio.to_thread(decode, body, kind, fitness)
    return decode(body, kind, fitness)


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with a JSON body."""
    return Answer(encode(body), status, headers=headers)


def empty(status: int = 204, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer without a body."""
    return Answer(b"", status, headers=headers)


def path_id(request: Request[Any, Any, Any], name: str) -> str:
    """Return an id from the path; raises `BadRequest` if it is no UUID."""
    return as_id(request.path_params[name])


def as_id(text: str) -> str:
    """Return an id in its one form; raises `BadRequest` if it is no UUID."""
    id = text.lower()
    if _UUID.fullmatch(id) is None:
        raise BadRequest(f"{text!r:.80} is not an id: ids are UUIDs in their 36-character form")
    return id


def prefers(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the ``Prefer`` header's wishes, such as ``{"wait": "30"}``."""
    wishes = (wish.strip() for wish in request.headers.get("prefer", "").split(","))
    return {key: value for key, _, value in (wish.partition("=") for wish in wishes if wish)}


def peer(request: Request[Any, Any, Any]) -> str:
    """Return the address that the request came from."""
    return request.client.host if request.client else ""


def beat_of(request: Request[Any, Any, Any]) -> float | None:
    """Return how often the worker that asks means to call (seconds), if it says so."""
    text = request.headers.get("flamenco-heartbeat")
    return min(float(text), LONGEST_BEAT) if text and text.isascii() and text.isdigit() else None


def identity_of(request: Request[Any, Any, Any]) -> Identity:
    """Return who sent the request."""
    return request.scope["state"]["identity"]  # type: ignore[no-any-return]


def author_of(request: Request[Any, Any, Any]) -> Author:
    """Say who changes the settings, and whether through a page or our command line."""
    identity: Identity = request.scope["state"]["identity"]
    by_command = request.headers.get("user-agent", "").startswith("flamenco-cli")
    return Author(source="command line" if by_command else "web", who=identity.name)


def worker_of(request: Request[Any, Any, Any]) -> str:
    """Return the UUID of the worker that sent the request, and note that it is alive."""
    identity: Identity = request.scope["state"]["identity"]
    manager_of(request).liveness.heard(identity.id, beat_of(request))
    return identity.id
