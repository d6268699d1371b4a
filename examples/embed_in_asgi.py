"""A Manager inside another web application.

It is an ordinary ASGI application: here a studio's pages and the farm share one port. The
farm's start and stop have to be passed on to it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, asgi, get
from litestar.types import Receive, Scope, Send

from flamenco_core.manager import create_manager

farm = create_manager()


@get("/studio", sync_to_thread=False)
def studio() -> str:
    """A page of our own."""
    return "Our studio"


@asgi("/", is_mount=True, copy_scope=False)
async def everything_else(scope: Scope, receive: Receive, send: Send) -> None:
    """Leave all other paths to the farm."""
    await farm(scope, receive, send)


@asynccontextmanager
async def farm_runs(_: Litestar) -> AsyncIterator[None]:
    """Start and stop the farm with the application around it."""
    async with farm.lifespan():
        yield


app = Litestar([studio, everything_else], lifespan=[farm_runs])
