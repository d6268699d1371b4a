"""Clients that take their time, or for ever: they are let go, and nobody else notices."""

from __future__ import annotations

import contextlib
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator

import attrs
import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from flamenco_core.config import Duration
from flamenco_core.manager.limits import Limits
from flamenco_core.manager.server import protocol

SHORT = Duration.of(0.4)
HEAD = b"POST /api/v3/jobs HTTP/1.1\r\nHost: localhost\r\n"
JSON = HEAD + b"Content-Type: application/json\r\n"
WORKER = {"name": "w", "platform": "linux", "secret": "s", "supported_task_types": ["misc"]}

Connect = Callable[[bytes], socket.socket]


def limits(**given: object) -> Limits:
    times = dict.fromkeys(("header_timeout", "body_timeout", "stall_timeout"), SHORT)
    return Limits(**{**times, **given})  # type: ignore[arg-type]


@pytest.fixture(params=[HttpToolsProtocol, H11Protocol])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of uvicorn's; it takes h11 where httptools is not installed."""
    made = protocol.make_protocol
    monkeypatch.setattr(
        "flamenco_core.manager.server.serving.make_protocol",
        lambda lines: made(lines, request.param),
    )


@pytest.fixture
def lines() -> Iterator[list[socket.socket]]:
    opened: list[socket.socket] = []
    yield opened
    for line in opened:
        line.close()


@pytest.fixture
def connect(lines: list[socket.socket]) -> Callable[[str], Connect]:
    def to(url: str) -> Connect:
        host, port = url.removeprefix("http://").split(":")

        def opened(said: bytes) -> socket.socket:
            line = socket.create_connection((host, int(port)), timeout=10)
            lines.append(line)
            line.sendall(said)
            return line

        return opened

    return to


def rest_of(line: socket.socket) -> bytes:
    """Read until the other end closes; at most 10 s."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := line.recv(65536):
            said += piece
    return said


HALF = [
    b"",
    b"G",
    b"GET /api/v3/version HTTP/1.1\r\nHost: local",
    HEAD + b"X-Padding: 1\r\n",
    JSON + b"Content-Length: 100\r\n\r\n",
    JSON + b'Content-Length: 100\r\n\r\n{"name":',
    JSON + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
]


@pytest.mark.usefixtures("parser")
def test_half_a_request_is_given_up(serve, connect) -> None:
    with serve(limits=limits()) as served:
        held = [connect(served.url)(said) for said in HALF]
        for line in held:
            answer = rest_of(line)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert answer.endswith(b'{"code":408,"message":"the request took too long to come"}')
        assert httpx.get(f"{served.url}/api/v3/version").status_code == 200
        assert served.server.lines.overdue == {"head": 4, "body": 3}


@pytest.mark.usefixtures("parser")
def test_a_byte_now_and_then_does_not_help(serve, connect) -> None:
    with serve(limits=limits()) as served:
        for first in (HEAD, JSON + b"Content-Length: 9000\r\n\r\n"):
            line = connect(served.url)(first)
            with contextlib.suppress(ConnectionError):
                for _ in range(200):
                    line.sendall(b"x")
                    threading.Event().wait(0.02)
                pytest.fail("it was read for 4 s")


@pytest.mark.usefixtures("parser")
def test_a_slow_second_request_is_given_up_as_well(serve, connect) -> None:
    with serve(limits=limits()) as served:
        line = connect(served.url)(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 200")
        line.sendall(b"GET /live HTTP/1.1\r\n")
        assert b" 408 " in rest_of(line)


@pytest.mark.usefixtures("parser")
def test_an_idle_connection_is_closed_after_its_time(serve, connect) -> None:
    with serve(limits=limits(idle_timeout=SHORT)) as served:
        line = connect(served.url)(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = rest_of(line)
        assert said.startswith(b"HTTP/1.1 200")
        assert b" 408 " not in said


@pytest.mark.usefixtures("parser")
def test_a_body_that_nobody_wants_is_not_read_for_long(serve, connect, monkeypatch) -> None:
    monkeypatch.setattr(protocol, "LINGER", 0.2)
    with serve(limits=limits()) as served:
        line = connect(served.url)(
            b"POST /no-such HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert line.recv(4096).startswith(b"HTTP/1.1 404")
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                line.sendall(b"5\r\nhello\r\n")
                threading.Event().wait(0.05)
            pytest.fail("it was read for 10 s")


@pytest.mark.usefixtures("parser")
def test_a_waiting_worker_and_a_stream_are_not_idle(serve, connect) -> None:
    with serve(limits=limits()) as served, httpx.Client(base_url=served.url) as client:
        id = client.post("/api/v3/worker/register-worker", json=WORKER).json()["uuid"]
        auth = (id, "s")
        client.post("/api/v3/worker/state-changed", json={"status": "awake"}, auth=auth)
        stream = connect(served.url)(b"GET /api/v3/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = client.post("/api/v3/worker/task", auth=auth, headers={"Prefer": "wait=2"})
        assert answer.status_code == 204
        assert b"welcome" in stream.recv(4096)
        client.get("/api/v3/version")
        assert len(served.server.lines) == 2
        assert not served.server.lines.overdue


@pytest.mark.usefixtures("parser")
def test_who_does_not_read_the_answer_is_given_up(serve, connect) -> None:
    with serve(limits=limits()) as served:
        bus = served.app.state.manager.bus
        line = connect(served.url)(b"GET /api/v3/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        end = time.monotonic() + 10
        while served.server.lines.overdue["answer"] == 0:
            assert time.monotonic() < end
            served.on_loop(lambda: served.app.state.manager.tell_log("j", "t", "x" * 300_000))
            threading.Event().wait(0.02)
        assert len(served.server.lines) == 0
        while len(bus):
            assert time.monotonic() < end
            threading.Event().wait(0.01)
        line.close()


@pytest.mark.usefixtures("parser")
def test_a_slow_upload_that_makes_progress_goes_on(serve, connect) -> None:
    with serve(limits=limits(stall_timeout=Duration.of(0.5))) as served:
        line = _upload(served.url, connect, b"Content-Length: 12\r\n\r\n")
        for _ in range(12):
            threading.Event().wait(0.1)
            line.sendall(b"x")
        assert line.recv(4096).startswith(b"HTTP/1.1 4")  # it is no picture
        assert not served.server.lines.overdue


@pytest.mark.usefixtures("parser")
def test_an_upload_without_progress_is_given_up(serve, connect) -> None:
    with serve(limits=limits()) as served:
        line = _upload(served.url, connect, b"Content-Length: 12\r\n\r\nxx")
        assert b" 408 " in rest_of(line)


def _upload(url: str, connect: Callable[[str], Connect], rest: bytes) -> socket.socket:
    """Begin to send a picture of a task that runs."""
    import base64

    with httpx.Client(base_url=f"{url}/api/v3/") as client:
        id = client.post("worker/register-worker", json=WORKER).json()["uuid"]
        client.post("worker/state-changed", json={"status": "awake"}, auth=(id, "s"))
        settings = {"message": "hi", "sleep_repeats": 1, "sleep_duration_seconds": 1}
        job = {"name": "x", "type": "echo-sleep-test", "submitter_platform": "linux"}
        client.post("jobs", json={**job, "settings": settings}).raise_for_status()
        task = client.post("worker/task", auth=(id, "s")).json()["uuid"]
    secret = base64.b64encode(f"{id}:s".encode())
    return connect(url)(
        b"POST /api/v3/worker/task/%b/output-produced HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: image/png\r\nAuthorization: Basic %b\r\n%b" % (task.encode(), secret, rest)
    )


def test_no_more_connections_than_there_may_be(serve, connect) -> None:
    with serve(limits=limits(connections=3, header_timeout=Duration.of(30))) as served:
        held = [connect(served.url)(b"G") for _ in range(3)]
        assert rest_of(connect(served.url)(b"")) == b""  # closed without a word
        held[0].close()
        end = time.monotonic() + 10
        while len(served.server.lines) == 3:
            assert time.monotonic() < end
            threading.Event().wait(0.01)
        assert httpx.get(f"{served.url}/live").status_code == 200
        assert served.server.lines.refused == 1


def test_three_hundred_half_open_connections_disturb_nobody(serve, connect, caplog) -> None:
    caplog.set_level("INFO")
    with serve(limits=limits(header_timeout=Duration.of(1))) as served:
        before = len(caplog.records)
        started = time.monotonic()
        held = [connect(served.url)(HEAD) for _ in range(300)]
        took = []
        with httpx.Client(base_url=served.url) as client:
            while len(served.server.lines) > 1:
                began = time.monotonic()
                assert client.get("/api/v3/version").status_code == 200
                took.append(time.monotonic() - began)
        assert time.monotonic() - started < 10
        assert all(b" 408 " in rest_of(line) for line in held)
        assert statistics.quantiles(took, n=100)[98] < 0.5
        assert len([r for r in caplog.records[before:] if "httpx" not in r.name]) <= 10


def test_a_time_and_a_number_of_connections_count_without_a_restart(serve, connect) -> None:
    with serve() as served:
        line = connect(served.url)(HEAD)
        manager = served.app.state.manager

        def change() -> None:
            before = manager.settings
            after = attrs.evolve(before, limits=limits(connections=1))
            manager.take_settings(attrs.evolve(manager.loaded, settings=after))
            for follower in manager.configuration.followers:
                follower(before, after)

        served.on_loop(change)
        refused = connect(served.url)(b"")
        assert rest_of(refused) == b""
        assert rest_of(line).startswith(b"HTTP/1.1 408 ")  # it would have had 10 s
        assert httpx.get(f"{served.url}/api/v3/version").status_code == 200
        assert served.server.lines.refused == 1
