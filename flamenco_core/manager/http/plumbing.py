"""What all controllers share: bodies in and out, and who may come in."""

from __future__ import annotations

import asyncio
import re
from typing import Any, TypeVar

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.enums import MediaType
from litestar.handlers.base import BaseRouteHandler
from litestar.response import Stream

from flamenco_core.errors import BadRequest, Forbidden
from flamenco_core.manager.host import Manager
from flamenco_core.offers.identity import Action, Identity
from flamenco_core.wire.converter import decode, encode

__all__ = [
    "Request",
    "Response",
    "Stream",
    "admit",
    "as_id",
    "beat_of",
    "body_of",
    "empty",
    "manager_of",
    "path_id",
    "peer",
    "prefers",
    "reply",
    "worker_of",
]

T = TypeVar("T")

JSON = "application/json"
BIG = 256 * 1024
"""Bytes from which on a body is decoded beside the event loop."""
LONGEST_BEAT = 60.0
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def manager_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Manager:
    """Return the Manager that serves this connection."""
    return connection.app.state.manager  # type: ignore[no-any-return]


async def body_of(request: Request[Any, Any, Any], kind: type[T]) -> T:
    """Read a JSON body.

    Raises `BadRequest` for another content type: a web page on another site can send a
    form or a plain text without asking, but not JSON.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != JSON:
        raise BadRequest(f"the body must be {JSON}, not {content_type or 'without a type'}")
    body = await request.body()
    if len(body) > BIG:
        return await asyncio.to_thread(decode, body, kind)
    return decode(body, kind)


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Answer with a JSON body."""
    return Response(encode(body), status_code=status, media_type=MediaType.JSON, headers=headers)


def empty(status: int = 204, headers: dict[str, str] | None = None) -> Response[None]:
    """Answer without a body."""
    return Response(None, status_code=status, headers=headers)


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


def worker_of(request: Request[Any, Any, Any]) -> str:
    """Return the UUID of the worker that sent the request, and note that it is alive."""
    identity: Identity = request.state.identity
    manager_of(request).liveness.heard(identity.id, beat_of(request))
    return identity.id


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Find out who is asking and whether they may; a guard of every route.

    Raises `Forbidden`.
    """
    manager = manager_of(connection)
    identity = await manager.plugins.find("find_identity", connection=connection, manager=manager)
    connection.state.identity = identity = identity or Identity()
    operation = handler.opt.get("operation", "")
    action = Action(operation, next(map(str, connection.path_params.values()), ""))
    problems = await manager.plugins.check(
        "check_access", identity=identity, action=action, manager=manager
    )
    if problems:
        raise Forbidden("; ".join(problem.message for problem in problems))
