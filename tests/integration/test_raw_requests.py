"""Requests that no client sends by mistake: no 5xx, an end to it, and the server lives."""

from __future__ import annotations

import contextlib
import re
import socket
import time

import httpx
import pytest

from flamenco_core.config import Duration
from flamenco_core.manager.limits import Limits

HOST = b"Host: localhost\r\n"
POST = b"POST /api/v3/jobs HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
GET = b"GET /api/v3/version HTTP/1.1\r\n" + HOST
SHORT = Duration.of(0.4)
LIMITS = Limits(header_timeout=SHORT, body_timeout=SHORT, idle_timeout=SHORT)

RAW = {
    "length and chunks": CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "chunks and length": POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "negative length": POST + b"Content-Length: -1\r\n\r\n{}",
    "length in words": POST + b"Content-Length: two\r\n\r\n{}",
    "length beyond numbers": POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}",
    "unknown coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding not at the end": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "bad chunk size": CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n",
    "huge chunk size": CHUNKED + b"\r\n" + b"f" * 40 + b"\r\n{}\r\n0\r\n\r\n",
    "chunk longer than said": CHUNKED + b"\r\n1\r\n{}{}{}\r\n0\r\n\r\n",
    "bare LF": b"GET /api/v3/version HTTP/1.1\nHost: localhost\n\n",
    "bare CR": b"GET /api/v3/version HTTP/1.1\rHost: localhost\r\r",
    "NUL in a header": GET + b"X: a\0b\r\n\r\n",
    "NUL in a name": GET + b"X\0Y: a\r\n\r\n",
    "NUL in the path": b"GET /api/v3/\0 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a space before the colon": GET + b"X : a\r\n\r\n",
    "a folded header": GET + b"X: a\r\n b\r\n\r\n",
    "no name": GET + b": a\r\n\r\n",
    "a URL of 100 kB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header of 100 kB": GET + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    "10,000 headers": GET + b"X: a\r\n" * 10_000 + b"\r\n",
    "no host": b"GET /api/v3/version HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: localhost\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
    "no method": b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a proxy's method": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path that is none": b"GET http:// HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path of stars": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path beyond the root": b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
    "no text in the path": b"GET /api/v3/jobs/%ff%fe%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "half an escape": b"GET /api/v3/jobs/%f HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes in the query": b"GET /api/v3/events?topics=\xff%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a WebSocket": GET
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "an old HTTP/2": GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    "words after a body": POST + b"Content-Length: 2\r\n\r\n{}nonsense",
    "only ends of lines": b"\r\n" * 1000,
    "noise": bytes(range(256)) * 40,
}


def say(url: str, raw: bytes) -> bytes:
    """Send it, and read until the server hangs up or has nothing more to say."""
    host, port = url.removeprefix("http://").split(":")
    said = b""
    with (
        socket.create_connection((host, int(port)), timeout=5) as line,
        contextlib.suppress(ConnectionError),
    ):
        line.sendall(raw)
        # Nothing more comes from us: an idle connection is ended by its time-out.
        while piece := line.recv(65536):
            said += piece
    return said


def test_nonsense_is_answered_without_a_fault(serve, caplog) -> None:
    with serve(limits=LIMITS) as served:
        for name, raw in RAW.items():
            statuses = re.findall(rb"HTTP/1.1 (\d\d\d) ", say(served.url, raw))
            assert not [status for status in statuses if status >= b"500"], (name, statuses)
            assert len(statuses) <= 2, (name, statuses)
        assert httpx.get(f"{served.url}/api/v3/version").status_code == 200
        end = time.monotonic() + 5
        while len(served.server.lines) or served.server.server_state.tasks:
            assert time.monotonic() < end
    assert not [record for record in caplog.records if record.exc_info]
    assert served.error is None


@pytest.mark.parametrize("name", ["length and chunks", "chunks and length", "two lengths"])
def test_two_words_about_a_body_smuggle_nothing(serve, name: str) -> None:
    with serve(limits=LIMITS) as served:
        said = say(served.url, RAW[name])
    assert said.startswith(b"HTTP/1.1 400")
    assert said.count(b"HTTP/1.1 ") == 1


def test_an_endless_body_is_refused_at_once(serve) -> None:
    with serve(limits=LIMITS) as served:
        host, port = served.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(CHUNKED + b"\r\n")
            chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
            started = time.monotonic()
            for _ in range(9 * 16):  # 9 MB
                line.sendall(chunk)
            assert line.recv(4096).startswith(b"HTTP/1.1 413")
            assert time.monotonic() - started < 2
            with contextlib.suppress(ConnectionError):
                while time.monotonic() - started < 10:
                    line.sendall(chunk)
                pytest.fail("it is read on and on")
