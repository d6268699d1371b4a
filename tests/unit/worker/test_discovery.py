from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from flamenco_core.builtin.ssdp_search import DEVICE, SERVICE, base_url, location_of
from flamenco_core.builtin.zeroconf_search import TYPE, urls_of
from flamenco_core.worker.app import WorkerApp, create_worker
from flamenco_core.worker.settings import WorkerSettings


class Version(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/api/v3/version"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"version": "3.9", "name": "Farm of Alfa"}')

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def manager_url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Version)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def an_answer(location: str, device: str = DEVICE) -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\nST: {SERVICE}\r\nUSN: uuid:{device}::{SERVICE}\r\n"
        f"LOCATION: {location}\r\nEXT:\r\n\r\n"
    ).encode()


@pytest.fixture
def responder() -> Iterator[Callable[..., int]]:
    """``port = responder(*answers)``: answers each search, from an ordinary UDP port."""
    sockets, threads = [], []

    def start(*answers: bytes, deaf_to: int = 0) -> int:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        sockets.append(udp)

        def answer() -> None:
            heard = 0
            while (received := udp.recvfrom(4096))[0] != b"end":
                heard += 1
                lines = received[0].decode().split("\r\n")
                assert lines[0] == "M-SEARCH * HTTP/1.1"
                assert f"ST: {SERVICE}" in lines
                assert 'MAN: "ssdp:discover"' in lines
                if heard > deaf_to:
                    for packet in answers:
                        udp.sendto(packet, received[1])

        threads.append(threading.Thread(target=answer))
        threads[-1].start()
        return int(udp.getsockname()[1])

    yield start
    for udp in sockets:
        udp.sendto(b"end", udp.getsockname())
    for thread in threads:
        thread.join()
    for udp in sockets:
        udp.close()


@pytest.fixture
def searching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., WorkerApp]:
    monkeypatch.delenv("FLAMENCO_MANAGER_URL", raising=False)

    def make(port: int = 9, manager_url: str = "", **section: Any) -> WorkerApp:
        discovery = {
            "dns_name": "",
            "ssdp_address": "127.0.0.1",
            "ssdp_port": port,
            "interface": "127.0.0.1",
            "zeroconf": False,
            "round_time": 0.2,
            **section,
        }
        settings = WorkerSettings(
            home=str(tmp_path), manager_url=manager_url, plugins={"discovery": discovery}
        )
        return create_worker(settings, discover=False)

    return make


async def test_the_settings_come_first(
    searching: Callable[..., WorkerApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAMENCO_MANAGER_URL", "http://from-environment/")
    assert await searching(manager_url="from-settings:8080").find_manager() == "from-settings:8080"
    assert await searching().find_manager() == "http://from-environment/"


async def test_a_manager_is_found_by_ssdp(
    searching: Callable[..., WorkerApp], responder: Callable[..., int], manager_url: str
) -> None:
    port = responder(an_answer(f"{manager_url}upnp/description.xml"))
    assert await searching(port).find_manager() == manager_url


async def test_the_search_goes_on_for_several_rounds(
    searching: Callable[..., WorkerApp], responder: Callable[..., int], manager_url: str
) -> None:
    port = responder(an_answer(manager_url), deaf_to=2)
    assert await searching(port).find_manager() == manager_url


async def test_the_first_that_really_is_a_manager_is_taken(
    searching: Callable[..., WorkerApp], responder: Callable[..., int], manager_url: str
) -> None:
    port = responder(
        an_answer("http://127.0.0.1:9/"),
        an_answer("http://127.0.0.1:9/printer", device="another-device"),
        b"\xff\xfe nonsense",
        an_answer(manager_url),
    )
    assert await searching(port).find_manager() == manager_url


async def test_where_there_is_none_none_is_found(searching: Callable[..., WorkerApp]) -> None:
    assert await searching(rounds=1, round_time=0.01).find_manager() is None


async def test_a_manager_is_found_by_zeroconf(
    searching: Callable[..., WorkerApp], manager_url: str
) -> None:
    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

    port = int(manager_url.rstrip("/").rpartition(":")[2])
    info = ServiceInfo(
        TYPE, f"farm.{TYPE}", port=port, addresses=[socket.inet_aton("127.0.0.1")], server="farm."
    )
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        with anyio.fail_after(10):
            await (await zeroconf.async_register_service(info))
            app = searching(ssdp=False, zeroconf=True, round_time=2)
            assert await app.find_manager() == manager_url
    finally:
        await zeroconf.async_close()


@pytest.mark.parametrize(
    ("addresses", "properties", "urls"),
    [
        (["10.0.0.1"], {}, ["http://10.0.0.1:8080/"]),
        (["fe80::1%eth0", "10.0.0.1"], {}, ["http://10.0.0.1:8080/", "http://[fe80::1]:8080/"]),
        (["10.0.0.1"], {"scheme": "https", "path": "/farm"}, ["https://10.0.0.1:8080/farm/"]),
        ([], {}, []),
    ],
)
def test_announcements_become_urls(
    addresses: list[str], properties: dict[str, str], urls: list[str]
) -> None:
    info = SimpleNamespace(
        parsed_addresses=lambda: addresses, decoded_properties=properties, port=8080
    )
    assert urls_of(info) == urls


@pytest.mark.parametrize(
    ("packet", "location"),
    [
        (an_answer("http://10.0.0.1:8080/x"), "http://10.0.0.1:8080/x"),
        (an_answer("http://h/").replace(b"LOCATION", b"location"), "http://h/"),
        (an_answer("http://h/", device="other"), None),
        (an_answer("http://h/").replace(b"200 OK", b"404 No"), None),
        (b"NOTIFY * HTTP/1.1\r\n\r\n", None),
        (b"", None),
        (b"HTTP/1.1 200 OK\r\n\r\n", None),
        (f"HTTP/1.1 200 OK\r\nUSN: uuid:{DEVICE}\r\nLOCATION: http://h/\r\n\r\n".encode(), None),
    ],
)
def test_only_answers_of_flamenco_managers_count(packet: bytes, location: str | None) -> None:
    assert location_of(packet) == location


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("http://10.0.0.1:8080/upnp/description.xml", "http://10.0.0.1:8080/"),
        ("http://[fe80::1]:8080/x", "http://[fe80::1]:8080/"),
        ("ftp://host/", None),
        ("nonsense", None),
        ("http://[broken/", None),
        ("", None),
    ],
)
def test_of_a_location_only_host_and_port_count(location: str, url: str | None) -> None:
    assert base_url(location) == url


# -- by name -----------------------------------------------------------------------------------


async def test_a_manager_is_found_by_the_name_that_the_dns_has(
    searching: Callable[..., WorkerApp], manager_url: str
) -> None:
    port = int(manager_url.rstrip("/").rpartition(":")[2])
    app = searching(ssdp=False, dns_name="localhost", dns_port=port)
    assert await app.find_manager() == f"http://localhost:{port}/"


@pytest.mark.parametrize("name", ["no host has a space", "x" * 300, "a..b", "no-such-host.invalid"])
async def test_a_name_that_nobody_has_finds_nothing(
    searching: Callable[..., WorkerApp], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def nobody(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    if name.endswith(".invalid"):
        monkeypatch.setattr("flamenco_core.builtin.dns_search.socket.getaddrinfo", nobody)
    app = searching(ssdp=False, dns_name=name, rounds=1)
    assert await app.find_manager() is None


async def test_a_name_server_that_does_not_answer_is_not_waited_for(
    searching: Callable[..., WorkerApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def hangs(*_: Any, **__: Any) -> list[Any]:
        answer.wait(10)
        return []

    monkeypatch.setattr("flamenco_core.builtin.dns_search.socket.getaddrinfo", hangs)
    try:
        with anyio.fail_after(5):
            app = searching(ssdp=False, dns_name="farm", rounds=1, round_time=0.05)
            assert await app.find_manager() is None
    finally:
        answer.set()


async def test_of_several_managers_the_one_with_the_name_is_taken(
    searching: Callable[..., WorkerApp], responder: Callable[..., int], manager_url: str
) -> None:
    port = responder(an_answer(manager_url))
    assert await searching(port, manager_name=" farm of alfa").find_manager() == manager_url
    assert await searching(port, manager_name="Beta's", rounds=1).find_manager() is None
