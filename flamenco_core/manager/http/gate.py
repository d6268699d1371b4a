"""Who comes in: before every operation, who is asking and whether they may."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Receive, Scope, Send

from flamenco_core.errors import Forbidden
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.plumbing import empty
from flamenco_core.offers.identity import Action, Identity

__all__ = ["Gate"]


class Gate:
    """A layer around every route, those of plugins too.

    Litestar's guards would do the same, but copy the route's handler for each request.
    """

    def __init__(self, app: ASGIApp, manager: Manager) -> None:
        self._app = app
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or raise `Forbidden`."""
        identity = await self._admitted(scope)
        scope["state"].update(manager=self._manager, identity=identity)
        app = _methods_of(scope) if scope.get("method") == "OPTIONS" else self._app
        await app(scope, receive, send)

    async def _admitted(self, scope: Scope) -> Identity:
        manager = self._manager
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        identity = await manager.plugins.find(
            "find_identity", connection=connection, manager=manager
        )
        identity = identity or Identity()
        problems = await manager.plugins.check(
            "check_access", identity=identity, action=_action(scope), manager=manager
        )
        if problems:
            raise Forbidden("; ".join(problem.message for problem in problems))
        return identity


def _methods_of(scope: Scope) -> ASGIApp:
    """Answer OPTIONS; Litestar's own answer names one handler's methods, not the path's."""
    path, routes = scope["path_template"], scope["litestar_app"].routes
    methods = {str(name) for route in routes if route.path_format == path for name in route.methods}
    return empty(headers={"Allow": ", ".join(sorted(methods))})


def _action(scope: Scope) -> Action:
    operation = scope["route_handler"].opt.get("operation", "")
    return Action(operation, next(map(str, scope["path_params"].values()), ""))
