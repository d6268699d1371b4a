"""The product's own server: it stops when it is told to, whoever is connected."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import threading
import time
from typing import Any

import httpx
import pytest

from flamenco_core import hookimpl
from flamenco_core.domain.events import ManagerStarted, ManagerStopping
from flamenco_core.errors import ConfigError
from flamenco_core.manager.server import bind

QUICK = 2.0


def worker(client: httpx.Client) -> dict[str, str]:
    body = {"name": "w", "platform": "linux", "secret": "s", "supported_task_types": ["misc"]}
    id = client.post("/api/v3/worker/register-worker", json=body).json()["uuid"]
    auth = {"Authorization": "Basic " + base64.b64encode(f"{id}:s".encode()).decode()}
    client.post("/api/v3/worker/state-changed", json={"status": "awake"}, headers=auth)
    return auth


def in_thread(work: Any) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    return thread, results


def until(condition: Any) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def test_it_stops_quickly_with_streams_and_waiting_workers(serve, caplog) -> None:
    caplog.set_level(logging.INFO)
    with serve() as served, httpx.Client(base_url=served.url, timeout=30) as client:
        manager = served.app.state.manager
        waiting, streams = [], []
        for _ in range(5):
            headers = worker(client) | {"Prefer": "wait=60"}

            def ask(headers: dict[str, str] = headers) -> int:
                return httpx.post(
                    f"{served.url}/api/v3/worker/task", headers=headers, timeout=60
                ).status_code

            waiting.append(in_thread(ask))
            streams.append(
                in_thread(lambda: httpx.get(f"{served.url}/api/v3/events", timeout=60).text)
            )
        until(lambda: len(manager.doorbell) == 5 and len(manager.bus._subscriptions) == 5)
        assert served.stop() < QUICK
        for thread, _ in waiting + streams:
            thread.join(5)
        assert [results for _, results in waiting] == [[204]] * 5
        assert all("manager-shutdown" in results[0] for _, results in streams)
    assert [r.getMessage() for r in caplog.records if r.levelno > logging.WARNING] == []
    assert served.error is None


def test_idle_connections_do_not_keep_it(serve) -> None:
    with serve() as served, httpx.Client(base_url=served.url) as client:
        client.get("/api/v3/version")
        host, port = served.url.removeprefix("http://").split(":")
        silent = socket.create_connection((host, int(port)))
        half = socket.create_connection((host, int(port)))
        half.sendall(b"POST /api/v3/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
        assert served.stop() < QUICK
        silent.close()
        half.close()


def test_plugins_hear_of_start_and_end(serve) -> None:
    heard: list[object] = []

    class Listener:
        @hookimpl
        async def on_event(self, event: object) -> None:
            heard.append(event)

    with serve(Listener()) as served:
        assert served.stop() < QUICK
    assert heard == [ManagerStarted(), ManagerStopping()]


def test_a_plugin_that_hangs_does_not_keep_it(serve, caplog) -> None:
    class Stuck:
        @hookimpl
        async def on_event(self) -> None:
            await asyncio.Event().wait()

    with serve(Stuck()) as served:
        assert served.stop() < QUICK + 1
    assert "still busy with an event" in caplog.text


def test_it_can_be_started_again_at_once(serve) -> None:
    for _ in range(2):
        with serve() as served:
            assert httpx.get(f"{served.url}/api/v3/version").status_code == 200


def test_a_forwarded_address_of_this_machine_is_not_believed(serve) -> None:
    body = {"name": "w", "platform": "linux", "secret": "s", "supported_task_types": []}
    with serve() as served:
        answer = httpx.post(
            f"{served.url}/api/v3/worker/register-worker",
            json=body,
            headers={"X-Forwarded-For": "10.1.2.3"},
        )
    assert answer.json()["address"] == "127.0.0.1"


def test_a_body_that_is_announced_too_large_is_not_read(serve) -> None:
    with serve() as served:
        host, port = served.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(
                b"POST /api/v3/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 99999999999\r\n\r\n"
            )
            assert line.recv(4096).startswith(b"HTTP/1.1 413")


def test_an_answer_without_a_body_has_no_length(serve) -> None:
    with serve() as served, httpx.Client(base_url=served.url) as client:
        answer = client.post("/api/v3/worker/task", headers=worker(client))
    assert answer.status_code == 204
    assert not {"content-length", "content-type", "transfer-encoding"} & set(answer.headers)


def test_a_worker_that_hangs_up_gets_no_task(serve) -> None:
    with serve() as served, httpx.Client(base_url=served.url) as client:
        auth = worker(client)
        host, port = served.url.removeprefix("http://").split(":")
        line = socket.create_connection((host, int(port)))
        request = "POST /api/v3/worker/task HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
        request += f"Authorization: {auth['Authorization']}\r\nPrefer: wait=50\r\n\r\n"
        line.sendall(request.encode())
        doorbell = served.app.state.manager.doorbell
        until(lambda: len(doorbell) == 1)
        line.close()
        until(lambda: len(doorbell) == 0)


def test_an_address_in_use_is_a_clear_error() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
            bind("127.0.0.1", port)
