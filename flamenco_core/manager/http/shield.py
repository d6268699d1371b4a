"""The outermost layer: what is refused before anybody looks at it, and what all answers say.

A browser runs pages of strangers next to the Manager, in the same network and behind the
same firewall. It tells the Manager where a request comes from, and does what an answer's
headers say; the rest is here.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from flamenco_core.errors import BadRequest
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.plumbing import Answer, reply
from flamenco_core.manager.http.ticket import JOIN, take_ticket
from flamenco_core.wire.meta import Error

__all__ = ["Shield"]

Headers = list[tuple[bytes, bytes]]

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing; a browser does not let another site read the answer."""
_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none';"
    " frame-ancestors 'none'; form-action 'self'"
)
ON_ALL_ANSWERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""A handler that knows better sets its own."""
TLS_ONLY = {"strict-transport-security": "max-age=31536000"}


class Shield:
    """A layer around the whole application, what it does not have included."""

    def __init__(self, app: ASGIApp, manager: Manager) -> None:
        url = urlsplit(manager.settings.public_url)
        self._app = app
        self._hosts = manager.hosts
        self._peers = manager.peers
        self._traffic = manager.traffic
        self._clock = manager.clock
        self._public_host = url.netloc.lower().encode()
        extra = ON_ALL_ANSWERS | (TLS_ONLY if url.scheme == "https" else {})
        self._extra = [(name.encode(), value.encode()) for name, value in extra.items()]
        self._names = frozenset(name for name, _ in self._extra)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        started = self._clock.monotonic()
        kind: str = scope["type"]

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                if not _is_for_worker(scope):
                    message["headers"] = self._completed(message["headers"])  # type: ignore[arg-type]
                self._traffic.note(scope, message["status"], self._clock.monotonic() - started)
            await send(message)

        if scope["path"].startswith(JOIN):
            take_ticket(scope)
        if self._peers.has_proxies:
            self._find_client(scope)
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, told)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": None})
        else:
            await refusal(scope, receive, told)

    def _completed(self, headers: Headers) -> Headers:
        names = {name for name, _ in headers}
        if names.isdisjoint(self._names):
            return [*headers, *self._extra]
        return [*headers, *(extra for extra in self._extra if extra[0] not in names)]

    def _find_client(self, scope: Scope) -> None:
        peer = scope["client"]
        if peer and self._peers.is_proxy(peer[0]):
            forwarded = (v for k, v in scope["headers"] if k == b"x-forwarded-for")
            scope["client"] = (self._peers.client(peer[0], forwarded), 0)

    def _refusal(self, scope: Scope) -> Answer | None:
        headers: Headers = scope["headers"]  # type: ignore[assignment]
        found = dict(headers)
        host = found.get(b"host")
        if host is None or (len(found) < len(headers) and _count(scope, b"host") > 1):
            return _refuse(400, "a request needs one Host header")
        try:
            known = self._hosts.knows(host)
        except BadRequest as error:
            return _refuse(400, str(error))
        if not known:
            return _refuse(421, _UNKNOWN_HOST % host[:80].decode("latin-1"))
        if found.get(b"content-encoding", b"identity").lower() != b"identity":
            return _refuse(415, "bodies are taken as they are: leave Content-Encoding out")
        if scope.get("method") not in READING and self._is_foreign(found, host):
            return _refuse(403, _FOREIGN)
        return None

    def _is_foreign(self, found: dict[bytes, bytes], host: bytes) -> bool:
        """Say whether a browser sends this for a page of another site.

        Programs send neither header. Browsers send the first one over TLS and to this
        machine only, the second one always.
        """
        site = found.get(b"sec-fetch-site")
        if site is not None:
            return site not in {b"same-origin", b"none"}
        origin = found.get(b"origin")
        if origin is None:
            return False
        return origin.partition(b"://")[2].lower() not in {host.lower(), self._public_host or host}


_UNKNOWN_HOST = (
    "this Manager does not know that it is called %r; if it is, add the name to 'hosts:'"
    " or set 'public_url:' in the Manager's settings, or use its IP address"
)
_FOREIGN = (
    "security requirements failed: a page of another site must not change anything here;"
    " if a proxy has changed the Host header, set 'public_url:' in the Manager's settings"
)


def _is_for_worker(scope: Any) -> bool:
    # Programs that have shown a Worker's secret are no browsers; seven headers more would
    # cost them, and so the farm, a twentieth of the time of an answer.
    identity = scope["state"].get("identity")
    return identity is not None and identity.kind == "worker"


def _count(scope: Any, name: bytes) -> int:
    return sum(key == name for key, _ in scope["headers"])


def _refuse(status: int, text: str) -> Answer:
    return reply(Error(status, text), status)
