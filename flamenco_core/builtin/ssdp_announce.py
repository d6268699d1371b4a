"""Answers those who search for Managers by SSDP, as Flamenco's own Workers do."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
from collections.abc import Awaitable, Callable
from random import Random, SystemRandom
from typing import Any, Literal, cast

import anyio
import attrs
from anyio.abc import TaskGroup

from flamenco_core.builtin.announcement import Announcement
from flamenco_core.builtin.own_addresses import Address, is_neighbor
from flamenco_core.builtin.ssdp_answer import MAX_AGE, Question, write_answer, write_news
from flamenco_core.clock import Clock
from flamenco_core.platform import multicast_socket

__all__ = ["SsdpAnnouncer"]

log = logging.getLogger(__name__)

Source = tuple[str, int]

SPREAD = 0.1
"""Answers come after up to this many seconds: few Managers share a network, and Workers wait."""
MOST = 500
"""Answers that may wait to be sent; what is asked beyond is asked again anyway."""
NEWS = (1.0, 2.0)
"""Seconds before the first two times that the Manager says that it is there."""


@attrs.define(kw_only=True)
class SsdpAnnouncer:
    """Answers the searches that arrive at one multicast group, and tells it the news."""

    here: Announcement
    group: Source
    clock: Clock
    random: Random = attrs.field(factory=SystemRandom)
    _waiting: set[Source] = attrs.field(factory=set, init=False)
    _asked: asyncio.Queue[tuple[Question, Source]] = attrs.field(factory=asyncio.Queue, init=False)

    async def stay(
        self, ready: Callable[[str], None], until_moved: Callable[[], Awaitable[None]]
    ) -> None:
        """Stay until this machine's addresses change; *ready* is told where it answers.

        Raises `OSError` when the port is taken or the network knows no multicast.
        """
        udp = multicast_socket(*self.group)
        with contextlib.closing(udp):
            joined = self._join(udp)
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(self._hear), sock=udp)
            async with anyio.create_task_group() as group:
                ready(f"by SSDP on {', '.join(map(str, joined))}")
                group.start_soon(self._tell_alive, udp, joined)
                group.start_soon(self._answer_all, group, udp)
                try:
                    await until_moved()
                finally:
                    group.cancel_scope.cancel()
                    self._tell("byebye", udp, joined)
                    transport.close()

    def _join(self, udp: socket.socket) -> list[Address]:
        joined = [card for card in self.here.cards if _joins(udp, self.group[0], card)]
        if not joined:
            raise OSError(errno.ENODEV, "no network card takes part in multicast")
        return joined

    async def _tell_alive(self, udp: socket.socket, joined: list[Address]) -> None:
        for pause in NEWS:
            await self.clock.sleep(pause)
            self._tell("alive", udp, joined)
        while True:
            # Half of the time that it counts for: one of them may get lost.
            await self.clock.sleep(MAX_AGE / 2)
            self._tell("alive", udp, joined)

    def _tell(
        self, kind: Literal["alive", "byebye"], udp: socket.socket, joined: list[Address]
    ) -> None:
        for card in joined:
            for url in self.here.urls_for(card):
                with contextlib.suppress(OSError):
                    udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, card.packed)
                    udp.sendto(write_news(kind, self.here, url, self.group), self.group)

    def _hear(self, packet: bytes, source: Source) -> None:
        """Take a packet from anybody; keep it if it is a neighbor's question."""
        question = Question.read(packet)
        if question is None or source in self._waiting or len(self._waiting) >= MOST:
            return
        asker = ipaddress.ip_address(source[0])
        if source[1] and is_neighbor(asker, self.here.own):
            self._waiting.add(source)
            self._asked.put_nowait((question, source))

    async def _answer_all(self, group: TaskGroup, udp: socket.socket) -> None:
        # The event loop calls `_hear` from outside of any task, where none can be started.
        while True:
            group.start_soon(self._answer, udp, *await self._asked.get())

    async def _answer(self, udp: socket.socket, question: Question, source: Source) -> None:
        try:
            await self.clock.sleep(self.random.uniform(0, min(SPREAD, question.patience)))
            for url in self.here.urls_for(ipaddress.ip_address(source[0])):
                # Nobody waits for one that cannot be sent; the next question gets another.
                with contextlib.suppress(OSError):
                    udp.sendto(write_answer(question, self.here, url, self.clock.now()), source)
        finally:
            self._waiting.discard(source)


class _Ear(asyncio.DatagramProtocol):
    """Hands on what it hears; errors of single packets are nobody's concern."""

    def __init__(self, hear: Callable[[bytes, Source], None]) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._hear(data, cast("Source", addr[:2]))


def _joins(udp: socket.socket, group: str, card: Address) -> bool:
    """Take part in a group on one network card; say whether that worked."""
    try:
        udp.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + card.packed
        )
    except OSError as error:
        # One network card with two addresses joins once.
        return error.errno == errno.EADDRINUSE
    return True
