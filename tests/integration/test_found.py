"""A Worker finds a Manager, over real sockets of this machine's loopback."""

from __future__ import annotations

import logging
import queue
import socket
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from flamenco_core.builtin import discovery_manager, ssdp_announce
from flamenco_core.builtin.ssdp_search import DEVICE, search_ssdp
from flamenco_core.builtin.zeroconf_search import TYPE
from flamenco_core.manager.server import bind
from flamenco_core.manager.server.serving import _served
from flamenco_core.platform import multicast_socket
from flamenco_core.worker.app import WorkerApp, create_worker
from flamenco_core.worker.settings import WorkerSettings

GROUP = "239.255.255.250"


@pytest.fixture
def port() -> int:
    with multicast_socket(GROUP, 0) as udp:
        return int(udp.getsockname()[1])


def by(port: int, *, ssdp: bool = False, zeroconf: bool = False, **more: Any) -> dict[str, Any]:
    """Return settings with which the ways that are named are on."""
    section = {
        "ssdp": ssdp,
        "ssdp_port": port,
        "zeroconf": zeroconf,
        "zeroconf_on_loopback": True,
    }
    return {"autodiscoverable": True, "plugins": {"discovery": section}, **more}


@pytest.fixture
def searching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., WorkerApp]:
    monkeypatch.delenv("FLAMENCO_MANAGER_URL", raising=False)

    def make(port: int, **section: Any) -> WorkerApp:
        discovery = {
            "ssdp_port": port,
            "interface": "127.0.0.1",
            "dns_name": "",
            "ssdp": False,
            "zeroconf": False,
            "rounds": 10,
            **section,
        }
        settings = WorkerSettings(home=str(tmp_path / "w"), plugins={"discovery": discovery})
        return create_worker(settings, discover=False)

    return make


async def test_our_worker_finds_it_by_ssdp_where_it_really_listens(
    serve: Any, searching: Any, port: int
) -> None:
    # The settings say port 8080: what counts is the socket.
    with serve(**by(port, ssdp=True)) as served:
        assert await searching(port, ssdp=True).find_manager() == f"{served.url}/"


async def test_our_worker_finds_it_by_zeroconf(serve: Any, searching: Any, port: int) -> None:
    with serve(**by(port, zeroconf=True)) as served:
        app = searching(port, zeroconf=True, round_time=5.0)
        assert await app.find_manager() == f"{served.url}/"


async def _names(limit: float, wanted: int) -> dict[str, int]:
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    names: list[str] = []
    all_there = anyio.Event()

    def changed(*, name: str, **_: Any) -> None:
        names.append(name)
        if len(set(names)) >= wanted:
            all_there.set()

    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, TYPE, handlers=[changed])
        with anyio.fail_after(limit):
            await all_there.wait()
        await browser.async_cancel()
        found = {}
        for name in set(names):
            info = AsyncServiceInfo(TYPE, name)
            if await info.async_request(zeroconf.zeroconf, 3000):
                found[name] = int(info.port or 0)
        return found
    finally:
        await zeroconf.async_close()


async def test_two_managers_of_one_name_and_one_machine_are_two(
    serve: Any, tmp_path: Path, port: int
) -> None:
    other = {"database": str(tmp_path / "other.sqlite")}
    with (
        serve(**by(port, ssdp=True, zeroconf=True)) as one,
        serve(**by(port, ssdp=True, zeroconf=True, **other)) as two,
    ):
        ports = {int(served.url.rpartition(":")[2]) for served in (one, two)}
        found = await _names(20, 2)
        assert set(found.values()) == ports
        assert len(found) == 2
        urls: set[str] = set()
        # Answers come at random moments; one search may miss the later one.
        with anyio.fail_after(10):
            while len(urls) < 2:
                urls |= set(await search_ssdp(GROUP, port, "127.0.0.1", 2.0))
        assert urls == {f"{one.url}/", f"{two.url}/"}


@pytest.mark.parametrize("reason", ["not set up", "switched off"])
async def test_who_should_not_be_found_is_not(serve: Any, port: int, reason: str) -> None:
    more = {"shared_storage_path": ""} if reason == "not set up" else {"autodiscoverable": False}
    with serve(**{**by(port, ssdp=True, zeroconf=True), **more}) as served:
        assert httpx.get(f"{served.url}/api/v3/version").is_success
        assert await search_ssdp(GROUP, port, "127.0.0.1", 0.2) == []
        with pytest.raises(TimeoutError):
            await _names(0.2, 1)


async def test_a_manager_without_a_server_of_its_own_announces_nothing(
    manager: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> socket.socket:
        raise AssertionError("it opened a socket")

    monkeypatch.setattr("flamenco_core.builtin.ssdp_announce.multicast_socket", refuse)
    async with manager(settings=by(port, ssdp=True, zeroconf=True)) as running:
        for service in running.manager.services:
            if service.name.startswith("announce"):
                await service.run()


def test_both_ways_are_services_and_can_be_switched_off(tmp_path: Path) -> None:
    from flamenco_core.manager import ManagerSettings, create_manager

    def names(**settings: Any) -> set[str]:
        app = create_manager(ManagerSettings(**settings), discover=False, strict=True)
        found = {service.name for service in app.state.manager.services}
        return {name for name in found if name.startswith("announce")}

    assert names() == {"announce-ssdp", "announce-zeroconf"}
    assert names(autodiscoverable=False) == set()
    assert names(plugins={"discovery": {"ssdp": False}}) == {"announce-zeroconf"}


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> queue.SimpleQueue[None]:
    """One item for each time that somebody tries to open the port, without a pause between."""
    made: queue.SimpleQueue[None] = queue.SimpleQueue()

    def counted(group: str, port: int) -> socket.socket:
        made.put(None)
        return multicast_socket(group, port)

    monkeypatch.setattr(ssdp_announce, "multicast_socket", counted)
    monkeypatch.setattr(discovery_manager, "AGAIN", 0.01)
    return made


async def test_a_taken_port_is_one_line_in_the_log_and_tried_again(
    serve: Any, searching: Any, port: int, tries: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "flamenco_core")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
        selfish.bind(("0.0.0.0", port))
        with serve(**by(port, ssdp=True)) as served:
            for _ in range(3):
                tries.get(timeout=10)
            assert httpx.get(f"{served.url}/api/v3/version").is_success
            selfish.close()
            assert await searching(port, ssdp=True).find_manager() == f"{served.url}/"
    said = [r for r in caplog.records if "cannot find this Manager by ssdp" in r.getMessage()]
    assert len(said) == 1
    assert "in use" in said[0].getMessage()
    assert "--manager URL" in said[0].getMessage()
    assert not [r for r in caplog.records if r.exc_info]


async def test_the_description_is_there_and_only_for_those_who_may_be_found(
    manager: Any, tmp_path: Path
) -> None:
    name = "R&D <farm>\x00"
    async with manager(settings={"manager_name": name}) as running:
        answer = await running.client.get("/upnp/description.xml")
        assert answer.headers["content-type"].startswith("text/xml")
        root = ElementTree.fromstring(answer.content)
        space = "{urn:schemas-upnp-org:device-1-0}"
        assert root.tag == f"{space}root"
        device = root.find(f"{space}device")
        assert device is not None
        assert device.findtext(f"{space}UDN") == f"uuid:{DEVICE}"
        assert (device.findtext(f"{space}friendlyName") or "").startswith("R&D <farm> (Flamenco")
    hidden = {"autodiscoverable": False, "database": str(tmp_path / "other.sqlite")}
    async with manager(settings=hidden) as running:
        assert (await running.client.get("/upnp/description.xml")).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_server_says_where_it_listens(host: str) -> None:
    with bind(host, 0) as listener:
        assert list(_served([listener])) == [(host, listener.getsockname()[1])]


async def test_a_manager_of_this_machine_only_leaves_the_networks_port_alone(
    serve: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("it announced itself")

    monkeypatch.setattr(discovery_manager, "announce_zeroconf", refuse)
    settings = by(port, zeroconf=True)
    settings["plugins"]["discovery"]["zeroconf_on_loopback"] = False
    with serve(**settings) as served:
        assert httpx.get(f"{served.url}/api/v3/version").is_success
        with pytest.raises(TimeoutError):
            await _names(0.3, 1)
