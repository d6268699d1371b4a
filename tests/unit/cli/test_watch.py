"""Watching a farm, against a real server on the loopback address."""

from __future__ import annotations

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flamenco_core.client import Client, ServerEvent, Watch
from flamenco_core.client.sse import events_in


class EventServer(ThreadingHTTPServer):
    """Streams what is put into `say`; None ends a stream. `asked` tells who connected."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.say: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.asked: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: EventServer

    def do_GET(self) -> None:
        self.server.asked.put((self.path, self.headers.get("Last-Event-ID")))
        self.send_response(self.server.status)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.end_headers()
        while (text := self.server.say.get()) is not None:
            self.wfile.write(text)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    with EventServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.say.put(None)
        server.shutdown()
        thread.join()


def test_an_event_ends_the_wait(server):
    with Client(server.url) as client, Watch(client, "jobs,tasks", job="j1", calm=30) as watch:
        path, last = server.asked.get(timeout=5)
        assert path == "/api/v3/events?topics=jobs%2Ctasks&job=j1"
        assert last is None
        watch.wait()  # connected: look once
        assert watch.live
        server.say.put(b"id: 7\nevent: job\ndata: {}\n\n")
        watch.wait()  # would take 30 s without the event


def test_a_burst_is_one_wait(server):
    with Client(server.url) as client, Watch(client, "jobs", calm=0.2) as watch:
        server.asked.get(timeout=5)
        watch.wait()
        server.say.put(b"id: 1\ndata: {}\n\n" * 50)
        watch.wait()
        assert watch._ticks.empty()


def test_after_a_break_it_says_where_it_was(server):
    with Client(server.url) as client, Watch(client, "jobs", poll=0.01, calm=30) as watch:
        server.asked.get(timeout=5)
        server.say.put(b"id: 41\ndata: {}\n\n")
        server.say.put(None)
        assert server.asked.get(timeout=5)[1] == "41"
        watch.wait()


def test_leaving_does_not_wait_for_the_stream(server):
    with Client(server.url) as client, Watch(client, "jobs") as watch:
        server.asked.get(timeout=5)
        watch.wait()
    assert not watch._thread.is_alive()


def test_a_manager_without_events_is_looked_at_again_and_again(server):
    server.status = 404
    server.say.put(None)
    with Client(server.url) as client, Watch(client, "jobs", poll=0.01) as watch:
        for _ in range(3):
            watch.wait()
        assert not watch.live


def test_an_unreachable_manager_is_looked_at_again_and_again():
    with Client("http://127.0.0.1:1") as client, Watch(client, "jobs", poll=0.01) as watch:
        for _ in range(3):
            watch.wait()
        assert not watch.live


@pytest.mark.parametrize(
    ("lines", "events"),
    [
        (["id: 1", "event: job", "data: {}", ""], [ServerEvent("1", "job", "{}")]),
        (["data:a", "data:b", ""], [ServerEvent("", "message", "a\nb")]),
        ([": comment", "retry: 5", "", "id: 2", ""], []),
        (
            ["id: 1", "data: x", "", "data: y", ""],
            [ServerEvent("1", "message", "x"), ServerEvent("1", "message", "y")],
        ),
        (["data: cut off"], []),
        (["data", ""], [ServerEvent("", "message", "")]),
    ],
)
def test_a_stream_is_read_as_the_standard_says(lines, events):
    assert list(events_in(lines)) == events
