"""Who comes in: before every operation, who is asking and whether they may."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from flamenco_core.errors import Forbidden
from flamenco_core.manager.first_start.protection import HOW_TO_SET_UP, is_of_this_machine
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.bodies import bounded
from flamenco_core.manager.http.plumbing import empty
from flamenco_core.offers.identity import Action, Identity

__all__ = ["Gate"]

_FOR_ALL = {"getLive", "getReady"}


class Gate:
    """A layer around every route, those of plugins too.

    Litestar's guards would do the same, but copy the route's handler for each request.
    """

    def __init__(self, app: ASGIApp, manager: Manager) -> None:
        self._app = app
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or raise `Forbidden`, `TooMany` or `TooLarge`."""
        identity = await self._admitted(scope)
        scope["state"].update(manager=self._manager, identity=identity)
        if identity.must_rotate:
            send = _asking_to_rotate(send)
        app = _methods_of(scope) if scope.get("method") == "OPTIONS" else self._app
        await app(scope, bounded(scope, receive, self._manager.intake), send)

    async def _admitted(self, scope: Scope) -> Identity:
        manager = self._manager
        if manager.settings.is_first_run:
            _must_be_near(scope)
        action = _action(scope)
        identity = await self._identified(scope, action)
        manager.rates.take(identity, _address(scope), action.operation)
        problems = await manager.plugins.check(
            "check_access", identity=identity, action=action, manager=manager
        )
        if problems:
            raise Forbidden("; ".join(problem.message for problem in problems))
        return identity

    async def _identified(self, scope: Scope, action: Action) -> Identity:
        manager = self._manager
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        try:
            identity = await manager.plugins.find(
                "find_identity", connection=connection, manager=manager
            )
        except Forbidden:
            # Who guesses at credentials is a stranger who asks.
            manager.rates.take(Identity(), _address(scope), action.operation)
            raise
        return identity or Identity(is_near=_is_near(scope))


def _asking_to_rotate(send: Send) -> Send:
    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"flamenco-rotate-secret", b"1")]
        await send(message)

    return told


def _is_near(scope: Scope) -> bool:
    return is_of_this_machine(scope["client"], scope["headers"])


def _address(scope: Scope) -> str:
    client = scope["client"]
    return client[0] if client else ""


def _must_be_near(scope: Scope) -> None:
    """Refuse everybody who is not at this machine; whether it is alive may be asked by all."""
    if not _is_near(scope) and _action(scope).operation not in _FOR_ALL:
        raise Forbidden(HOW_TO_SET_UP)


def _methods_of(scope: Scope) -> ASGIApp:
    """Answer OPTIONS; Litestar's own answer names one handler's methods, not the path's."""
    path, routes = scope["path_template"], scope["litestar_app"].routes
    methods = {str(name) for route in routes if route.path_format == path for name in route.methods}
    return empty(headers={"Allow": ", ".join(sorted(methods))})


def _action(scope: Scope) -> Action:
    operation = scope["route_handler"].opt.get("operation", "")
    return Action(operation, next(map(str, scope["path_params"].values()), ""))
