"""Make, list and revoke what lets machines join."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, delete, get, post

from flamenco_core.clock import rfc3339
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    body_of,
    empty,
    manager_of,
    reply,
)
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.usecases import registration_tokens as tokens
from flamenco_core.manager.usecases.registration import KIND
from flamenco_core.offers.operations import operation
from flamenco_core.tokens import make_token
from flamenco_core.wire import registration as wire

__all__ = ["RegistrationTokenController"]

TOKEN_ID = Annotated[str, "What stands after `fl_reg_` in a token."]


class RegistrationTokenController(Controller):
    """Registration tokens."""

    path = "/api/v3/worker-mgt/registration-tokens"
    tags = ["worker-mgt"]

    @get("", opt=operation("fetchRegistrationTokens", wire.RegistrationTokenList))
    async def fetch_tokens(self, request: Request[Any, Any, Any]) -> Answer:
        """List the registration tokens, without their secrets."""
        manager = manager_of(request)
        rows = await manager.database.read(tokens.list_tokens)
        now = manager.clock.now()
        return reply(wire.RegistrationTokenList([_view(row, now) for row in rows]))

    @post(
        "",
        opt=operation(
            "createRegistrationToken",
            wire.MadeRegistrationToken,
            takes=wire.NewRegistrationToken,
            refuses=[404],
        ),
        status_code=200,
    )
    async def create_token(self, request: Request[Any, Any, Any]) -> Answer:
        """Make a registration token; the answer is the only place where its secret is."""
        manager = manager_of(request)
        body = await body_of(request, wire.NewRegistrationToken)
        token = make_token(KIND)
        row = await manager.database.write(
            tokens.create_token,
            token,
            seconds=body.ttl_seconds,
            uses=body.uses,
            tag=body.tag or "",
        )
        details = _view(row, manager.clock.now())
        return reply(wire.MadeRegistrationToken(token=token.text, details=details))

    @delete(
        "/{token:str}",
        opt=operation("revokeRegistrationToken", path={"token": TOKEN_ID}),
        status_code=200,
    )
    async def revoke_token(self, request: Request[Any, Any, Any]) -> Answer:
        """Let a registration token open nothing any more."""
        token = request.path_params["token"]
        await manager_of(request).database.write(tokens.revoke_token, token)
        return empty()


def _view(row: Row, now: int) -> wire.RegistrationToken:
    return wire.RegistrationToken(
        id=row.name,
        status=_status(row, now),
        uses=row.uses,
        used=row.used,
        created=rfc3339(row.created_at),
        expires=rfc3339(row.expires_at),
        tag=row.tag,
    )


def _status(row: Row, now: int) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at <= now:
        return "expired"
    return "usable" if row.used < row.uses else "used up"
