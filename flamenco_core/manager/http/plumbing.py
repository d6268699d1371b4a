"""What all controllers share: bodies in and out, and who may come in."""

from __future__ import annotations

import uuid
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
    return decode(await request.body(), kind)


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Answer with a JSON body."""
    return Response(encode(body), status_code=status, media_type=MediaType.JSON, headers=headers)


def empty(status: int = 204, headers: dict[str, str] | None = None) -> Response[None]:
    """Answer without a body."""
    return Response(None, status_code=status, headers=headers)


def path_id(request: Request[Any, Any, Any], name: str) -> str:
    """Return an id from the path; raises `BadRequest` if it is no UUID."""
    value: str = request.path_params[name]
    try:
        is_uuid = len(value) == 36 and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        is_uuid = False
    if not is_uuid:
        raise BadRequest(f"{value!r} is not an id: ids are UUIDs in their 36-character form")
    return value.lower()


def prefers(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the ``Prefer`` header's wishes, such as ``{"wait": "30"}``."""
    wishes = (wish.strip() for wish in request.headers.get("prefer", "").split(","))
    return {key: value for key, _, value in (wish.partition("=") for wish in wishes if wish)}


def peer(request: Request[Any, Any, Any]) -> str:
    """Return the address that the request came from."""
    return request.client.host if request.client else ""


def worker_of(request: Request[Any, Any, Any]) -> str:
    """Return the UUID of the worker that sent the request, and note that it is alive."""
    identity: Identity = request.state.identity
    beat = request.headers.get("flamenco-heartbeat")
    seconds = float(beat) if beat and beat.isascii() and beat.isdigit() else None
    manager_of(request).liveness.heard(identity.id, seconds)
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
