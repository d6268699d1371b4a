"""For those who watch the Manager's process; ours, not in Flamenco 3."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get

from flamenco_core.errors import Busy
from flamenco_core.manager.http.plumbing import Answer, Request, manager_of, reply
from flamenco_core.offers.operations import operation
from flamenco_core.wire.meta import Health

__all__ = ["HealthController"]


class HealthController(Controller):
    """Is it alive, and can it work? They say no more than that to strangers."""

    path = "/"
    tags = ["system"]

    @get("/live", opt=operation("getLive", Health))
    async def live(self, request: Request[Any, Any, Any]) -> Answer:
        """Say that requests are answered at all; if not, start the process anew."""
        return reply(Health("ok"))

    @get("/ready", opt=operation("getReady", Health))
    async def ready(self, request: Request[Any, Any, Any]) -> Answer:
        """Say whether changes can be stored; 503 while they cannot, or when it stops."""
        manager = manager_of(request)
        if manager.doorbell.is_closed:
            raise Busy("the Manager is stopping")
        if not await manager.readiness.check():
            raise Busy("the database cannot be written at the moment")
        return reply(Health("ok"))
