"""Serve a Manager over HTTP with uvicorn, and stop it cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import uvicorn
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from flamenco_core.errors import ConfigError
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http import problems
from flamenco_core.manager.quiet import quietly
from flamenco_core.manager.server import lines
from flamenco_core.manager.server.lines import Lines
from flamenco_core.manager.server.protocol import make_protocol
from flamenco_core.platform import drop_silent_peers, raise_file_limit

__all__ = ["Server", "bind", "serve"]

GRACE = 1
"""Seconds that running requests get to end when the server stops."""
PATIENCE = 60
"""Seconds after which a peer whose system does not confirm what was sent is given up."""
RESERVE = 100
"""Open files that are not connections: the database, logs, programs that are run."""


class _Start:
    """An application that keeps why it did not start.

    uvicorn writes a traceback and exits; who starts a second Manager needs one line.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.error: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":  # type: ignore[comparison-overlap]
            await self._app(scope, receive, send)
            return

        async def briefly(message: Any) -> None:
            if message["type"] == "lifespan.startup.failed":
                message = {**message, "message": ""}
            await send(message)

        try:
            await self._app(scope, receive, briefly)
        except BaseException as error:
            self.error = _alone(error)
            raise


def _alone(error: BaseException) -> BaseException:
    """Return the one error that a group of task groups has wrapped, else the group."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class Server(uvicorn.Server):
    """A server that lets live streams and waiting workers go first."""

    def __init__(self, app: Litestar, on_ready: Callable[[], None] | None = None) -> None:
        self._start = _Start(app)
        self.lines = app.state.manager.lines = _lines_of(app.state.manager)
        super().__init__(
            uvicorn.Config(
                self._start,
                http=make_protocol(self.lines),
                ws="auto" if _takes_websockets(app) else "none",
                access_log=False,
                log_config=None,
                lifespan="on",
                timeout_graceful_shutdown=GRACE,
                server_header=False,
                # Anybody can write X-Forwarded-For; uvicorn would believe it of this machine.
                proxy_headers=False,
            )
        )
        self._app = app
        self._on_ready = on_ready

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        # Whoever sends nonsense, or opens too many connections, must not fill the log.
        with quietly("uvicorn.error", "asyncio", lines.__name__, problems.__name__):
            await super().serve(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections, ten times a second at most."""
        self.lines.look()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so; raises what kept the Manager from starting."""
        self._app.state.manager.served = tuple(_served(sockets or []))
        try:
            await super().startup(sockets)
        except SystemExit:
            raise self._start.error or ConfigError("the Manager did not start") from None
        if self.started and self._on_ready is not None:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT.

        uvicorn raises the signal once more when it has stopped, which makes a clean stop
        look like a crash to whoever watches the exit code.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, then connections, then the Manager.

        Open event streams and waiting workers would keep the server otherwise.
        """
        self._app.state.manager.end_streams()
        await super().shutdown(sockets)


def _lines_of(manager: Manager) -> Lines:
    limits = manager.settings.limits
    files = raise_file_limit(limits.connections + 2 * RESERVE)
    return Lines(
        limits,
        manager.clock,
        most=files and max(1, files - min(RESERVE, files // 2)),
        speaks_for_many=manager.peers.speaks_for_many,
    )


def _takes_websockets(app: Litestar) -> bool:
    return any(route.scope_type is not ScopeType.HTTP for route in app.routes)


def _served(sockets: Iterable[socket.socket]) -> Iterator[tuple[str, int]]:
    for listener in sockets:
        host, port = listener.getsockname()[:2]
        yield host, port
        # On most systems a socket for every IPv6 address takes IPv4 as well.
        if host == "::" and not listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
            yield "0.0.0.0", port  # noqa: S104


def bind(host: str, port: int) -> socket.socket:
    """Open a listening socket; raises `ConfigError` when the address is not to be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
        drop_silent_peers(listener, PATIENCE)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot listen on {host or '*'}:{port}: {error.strerror};"
            " stop what uses it, or set another 'listen:'"
        ) from error
    listener.setblocking(False)
    return listener


def serve(app: Any, host: str, port: int, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. *on_ready* is told the URL once requests are answered."""
    listener = bind(host, port)
    address, real_port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, address)  # noqa: S104
    url = f"http://{shown}:{real_port}"
    server = Server(app, on_ready and (lambda: on_ready(url)))
    # What is there now stays: the garbage collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
