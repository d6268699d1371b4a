"""The announcer on real sockets, on loopback; time stands still unless it is moved."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Any

import anyio
import pytest

from flamenco_core.builtin.announcement import Announcement
from flamenco_core.builtin.ssdp_announce import MOST, SsdpAnnouncer
from flamenco_core.builtin.ssdp_search import DEVICE, SERVICE
from flamenco_core.platform import multicast_socket

GROUP = "239.255.255.250"
LOOPBACK = ipaddress.ip_interface("127.0.0.1/8")
SEARCH = (
    f'M-SEARCH * HTTP/1.1\r\nHOST: {GROUP}:1900\r\nST: {SERVICE}\r\nMAN: "ssdp:discover"\r\n'
    "MX: 3\r\n\r\n"
).encode()


class AtOnce(Random):
    def uniform(self, a: float, b: float) -> float:
        return 0.0


@pytest.fixture
def port() -> int:
    with multicast_socket(GROUP, 0) as udp:
        return int(udp.getsockname()[1])


Announcing = Callable[..., AbstractAsyncContextManager[None]]
Answering = Callable[..., AbstractAsyncContextManager[SsdpAnnouncer]]


def an_announcer(port: int, clock: Any, random: Random | None = None) -> SsdpAnnouncer:
    here = Announcement(name="Farm", version="1", served=[("127.0.0.1", 8080)], own=[LOOPBACK])
    return SsdpAnnouncer(here=here, group=(GROUP, port), clock=clock, random=random or AtOnce())


@pytest.fixture
def announcing(port: int, clock: Any) -> Announcing:
    """The whole, on real sockets."""

    @asynccontextmanager
    async def start(random: Random | None = None) -> AsyncIterator[None]:
        announcer = an_announcer(port, clock, random)
        is_ready, has_moved = anyio.Event(), anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(announcer.stay, lambda _: is_ready.set(), has_moved.wait)
            await is_ready.wait()
            yield
            has_moved.set()

    return start


class Wire:
    """Keeps to whom something would be sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def sendto(self, packet: bytes, to: Any) -> None:
        self.sent.append(to)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def answering(port: int, clock: Any, wire: Any) -> Answering:
    """Without sockets: what it hears can claim to come from anywhere."""

    @asynccontextmanager
    async def start(random: Random | None = None) -> AsyncIterator[SsdpAnnouncer]:
        announcer = an_announcer(port, clock, random)
        async with anyio.create_task_group() as group:
            group.start_soon(announcer._answer_all, group, wire)
            yield announcer
            group.cancel_scope.cancel()

    return start


class Asker:
    """Somebody on the network, who asks and listens for what comes back."""

    def __init__(self, udp: socket.socket, group: tuple[str, int]) -> None:
        self.udp, self.group = udp, group

    def ask(self, packet: bytes = SEARCH) -> None:
        self.udp.sendto(packet, self.group)

    async def hear(self) -> bytes:
        with anyio.fail_after(5):
            await anyio.wait_readable(self.udp)
        return self.udp.recv(4096)

    def heard_nothing(self) -> bool:
        try:
            self.udp.recv(4096)
        except BlockingIOError:
            return True
        return False


@pytest.fixture
def asker(port: int) -> Iterator[Callable[[], Asker]]:
    opened = []

    def start() -> Asker:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.append(udp)
        udp.bind(("127.0.0.1", 0))
        udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, LOOPBACK.ip.packed)
        udp.setblocking(False)
        return Asker(udp, (GROUP, port))

    yield start
    for udp in opened:
        udp.close()


@pytest.fixture
def listener(port: int) -> Iterator[Asker]:
    """Somebody who takes part in the group and hears the news."""
    with multicast_socket(GROUP, port) as udp:
        membership = ipaddress.ip_address(GROUP).packed + LOOPBACK.ip.packed
        udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        yield Asker(udp, (GROUP, port))


async def test_the_official_workers_search_is_answered(
    announcing: Announcing, asker: Callable[[], Asker], port: int
) -> None:
    worker = asker()
    async with announcing():
        worker.ask()
        answer = await worker.hear()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"LOCATION: http://127.0.0.1:8080/upnp/description.xml\r\n" in answer
    assert f"USN: uuid:{DEVICE}::{SERVICE}\r\n".encode() in answer
    assert worker.heard_nothing()


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\0" * 1500,
        b"\xff" * 9000,
        SEARCH * 100,
        SEARCH.replace(b"MX: 3\r\n", b""),
        SEARCH.replace(SERVICE.encode(), b"urn:schemas-upnp-org:device:Printer:1"),
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
async def test_wrong_and_hostile_packets_get_nothing_and_break_nothing(
    announcing: Announcing, asker: Callable[[], Asker], packet: bytes
) -> None:
    stranger, worker = asker(), asker()
    async with announcing():
        for _ in range(20):
            stranger.ask(packet)
        worker.ask()
        await worker.hear()
        assert stranger.heard_nothing()


async def test_answers_wait_a_moment_and_repeated_questions_get_one(
    announcing: Announcing, asker: Callable[[], Asker], clock: Any
) -> None:
    worker = asker()
    async with announcing(Random(7)):
        for _ in range(5):
            worker.ask()
        await clock.advance(0)
        assert worker.heard_nothing()
        await clock.advance(0.1)
        assert await worker.hear()
        assert worker.heard_nothing()
        worker.ask()
        await clock.advance(0)
        await clock.advance(0.1)
        assert await worker.hear()


@pytest.mark.parametrize(
    "source",
    [
        ("127.255.255.255", 5000),
        ("255.255.255.255", 5000),
        (GROUP, 1900),
        ("0.0.0.0", 5000),
        ("8.8.8.8", 53),
        ("127.0.0.1", 0),
    ],
)
async def test_forged_sources_are_not_answered(
    answering: Answering, wire: Wire, clock: Any, source: tuple[str, int]
) -> None:
    async with answering() as announcer:
        announcer._hear(SEARCH, source)
        announcer._hear(SEARCH, ("127.0.0.1", 5000))
        await clock.advance(0)
    assert wire.sent == [("127.0.0.1", 5000)]


async def test_another_machine_is_never_told_a_loopback_address(
    answering: Answering, wire: Wire, clock: Any
) -> None:
    async with answering() as announcer:
        announcer._hear(SEARCH, ("10.0.0.9", 5000))
        await clock.advance(0)
    assert wire.sent == []


async def test_a_flood_fills_no_memory(answering: Answering, wire: Wire, clock: Any) -> None:
    async with answering(Random(7)) as announcer:
        for number in range(MOST + 100):
            announcer._hear(SEARCH, ("127.0.0.1", 1024 + number))
        await clock.advance(1)
        assert len(wire.sent) == MOST
        announcer._hear(SEARCH, ("127.0.0.1", 1024))
        await clock.advance(1)
    assert len(wire.sent) == MOST + 1


async def test_news_are_told_after_one_and_three_seconds_and_at_the_end(
    announcing: Announcing, listener: Asker, clock: Any
) -> None:
    async with announcing():
        await clock.advance(0.9)
        assert listener.heard_nothing()
        for seconds in (0.1, 2, 1800, 1800):
            await clock.advance(seconds)
            assert b"NTS: ssdp:alive\r\n" in await listener.hear()
            assert listener.heard_nothing()
    assert b"NTS: ssdp:byebye\r\n" in await listener.hear()
    assert listener.heard_nothing()


async def test_a_port_that_somebody_keeps_for_itself_is_an_error(
    announcing: Announcing, port: int
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
        selfish.bind(("0.0.0.0", port))
        with pytest.RaisesGroup(OSError):
            async with announcing():
                pass


async def test_a_network_without_multicast_is_an_error(port: int, clock: Any) -> None:
    here = Announcement(name="Farm", version="1", served=[("203.0.113.77", 80)], own=[LOOPBACK])
    announcer = SsdpAnnouncer(here=here, group=(GROUP, port), clock=clock)
    with pytest.raises(OSError, match="no network card takes part"):
        await announcer.stay(lambda _: None, anyio.Event().wait)
