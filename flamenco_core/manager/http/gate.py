"""Who comes in: before every operation, who is asking and whether they may."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Receive, Scope, Send

from flamenco_core.errors import Forbidden
from flamenco_core.manager.first_start.protection import HOW_TO_SET_UP, is_of_this_machine
from flamenco_core.manager.host import Manager
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
        """Let the request in, or raise `Forbidden`."""
        identity = await self._admitted(scope)
        scope["state"].update(manager=self._manager, identity=identity)
        await self._app(scope, receive, send)

    async def _admitted(self, scope: Scope) -> Identity:
        manager = self._manager
        if manager.settings.is_first_run:
            _must_be_near(scope)
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


def _must_be_near(scope: Scope) -> None:
    """Refuse everybody who is not at this machine; whether it is alive may be asked by all."""
    near = is_of_this_machine(scope["client"], scope["headers"])
    if not near and _action(scope).operation not in _FOR_ALL:
        raise Forbidden(HOW_TO_SET_UP)


def _action(scope: Scope) -> Action:
    operation = scope["route_handler"].opt.get("operation", "")
    return Action(operation, next(map(str, scope["path_params"].values()), ""))
