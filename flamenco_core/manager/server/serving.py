"""Serve a Manager over HTTP with uvicorn, and stop it cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
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
from flamenco_core.manager.first_start.protection import loopback_of
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http import problems
from flamenco_core.manager.limits import Limits
from flamenco_core.manager.quiet import quietly
from flamenco_core.manager.server import lines
from flamenco_core.manager.server.lines import Lines
from flamenco_core.manager.server.protocol import make_protocol
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.platform import drop_silent_peers, raise_file_limit

__all__ = ["Server", "bind", "serve"]

log = logging.getLogger(__name__)

GRACE = 1
"""Seconds that running requests get to end when the server stops."""
LAST_ANSWERS = 0.5
"""Seconds between a failed disk and the end of the process."""
DISK_FAILED = 74
"""Its exit code then, as sysexits.h has it; whoever watches it should start it again."""
PATIENCE = 60
"""Seconds after which a peer whose system does not confirm what was sent is given up."""
UNCOLLECTED = 100_000
"""So many new objects may gather until those that are garbage are looked for."""
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
        self._listeners: list[socket.socket] = []
        self._widening: asyncio.Task[None] | None = None

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
        manager = self._app.state.manager
        self._listeners = sockets or []
        manager.served = tuple(_served(self._listeners))
        manager.configuration.followers.append(self._follow)
        manager.database.on_failed_disk = _die
        try:
            await super().startup(sockets)
        except SystemExit:
            raise self._start.error or ConfigError("the Manager did not start") from None
        if self.started and self._on_ready is not None:
            self._on_ready()

    def _follow(self, before: ManagerSettings, after: ManagerSettings) -> None:
        if before.is_first_run and not after.is_first_run and self._listeners:
            self._widening = asyncio.create_task(self.widen(*after.host_and_port))
        if before.limits != after.limits:
            self.lines.follow(after.limits, _room(after.limits))

    async def widen(self, host: str, port: int) -> None:
        """Serve on *host* as well, now that the farm is set up.

        The socket for this machine stays open: nobody who is connected or about to be is
        lost. On a failure the log says to restart.
        """
        first, manager = self._listeners[0], self._app.state.manager
        own_host, own_port = first.getsockname()[:2]
        if host in (own_host, "localhost") and port in (own_port, 0):
            return
        try:
            listener = bind(host, port or own_port, beside=first)
        except ConfigError as error:
            log.error("only this machine can reach the Manager until it is restarted: %s", error)
            return
        loop = asyncio.get_running_loop()
        self.servers.append(await loop.create_server(self._protocol, sock=listener))
        self._listeners = [*self._listeners, listener]
        manager.served = tuple(_served(self._listeners))
        manager.configuration.counts_now("listen")
        log.info("the farm is set up; others reach it on %s:%s", *listener.getsockname()[:2])

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

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


def _die(reason: str) -> None:
    """End this process, once the answers that say why are sent.

    At once and by no other way: whatever is done at an ordered end would write again.
    """
    log.critical("%s", reason)
    asyncio.get_running_loop().call_later(LAST_ANSWERS, os._exit, DISK_FAILED)


def _lines_of(manager: Manager) -> Lines:
    limits = manager.settings.limits
    return Lines(
        limits,
        manager.clock,
        most=_room(limits),
        speaks_for_many=manager.peers.speaks_for_many,
    )


def _room(limits: Limits) -> int | None:
    """Return how many connections there is room for, if the system tells."""
    files = raise_file_limit(limits.connections + 2 * RESERVE)
    return files and max(1, files - min(RESERVE, files // 2))


def _takes_websockets(app: Litestar) -> bool:
    return any(route.scope_type is not ScopeType.HTTP for route in app.routes)


def _served(sockets: Iterable[socket.socket]) -> Iterator[tuple[str, int]]:
    for listener in sockets:
        host, port = listener.getsockname()[:2]
        yield host, port
        # On most systems a socket for every IPv6 address takes IPv4 as well.
        if host == "::" and not listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
            yield "0.0.0.0", port  # noqa: S104


def bind(host: str, port: int, *, beside: socket.socket | None = None) -> socket.socket:
    """Open a listening socket; raises `ConfigError` when the address is not to be had.

    *beside* is a socket of ours that may have the port already, for one address only.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with _sharing(listener, beside):
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


def _collect_less() -> None:
    """Let the garbage collector look less often, and not at what stays for good.

    A job of 100,000 tasks is a million objects, and none of them is garbage yet: looking
    through them again and again took half of the time. What is garbage meanwhile and knows
    each other, `UNCOLLECTED` objects at most, is some 15 MB.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(UNCOLLECTED, 50, 100)


@contextlib.contextmanager
def _sharing(listener: socket.socket, beside: socket.socket | None) -> Iterator[None]:
    """Let two sockets of ours have one port; not longer, or a second Manager could as well."""
    ours = [listener, beside] if beside and hasattr(socket, "SO_REUSEPORT") else []
    for one in ours:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        yield
    finally:
        for one in ours:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)


def serve(app: Any, host: str, port: int, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. *on_ready* is told the URL once requests are answered.

    Until the farm is set up, only this machine can reach it, whatever *host* is.
    """
    is_first_run = app.state.manager.settings.is_first_run
    listener = bind(loopback_of(host) if is_first_run else host, port)
    address, real_port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, address)  # noqa: S104
    url = f"http://{shown}:{real_port}"
    server = Server(app, on_ready and (lambda: on_ready(url)))
    _collect_less()
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
