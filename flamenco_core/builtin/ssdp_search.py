"""Asks the network for Managers by SSDP, the discovery part of UPnP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute

__all__ = ["DEVICE", "SERVICE", "base_url", "location_of", "search_ssdp"]

SERVICE = "urn:flamenco:manager:0"
DEVICE = "aa80bc5f-d0af-46b8-8630-23bd7e80ec4d"
"""The same for every Flamenco Manager in the world."""

HEARD_OUT = 0.3
"""How long to go on listening after the first answer, in seconds: others may follow."""


async def search_ssdp(address: str, port: int, interface: str, limit: float) -> list[str]:
    """Ask once; return the URLs of the Managers that answer within *limit* seconds.

    Raises `OSError` when there is no network.
    """
    urls: list[str] = []
    local = interface or "0.0.0.0"  # noqa: S104 (it asks, and hears only answers)
    async with await anyio.create_udp_socket(socket.AF_INET, local_host=local) as udp:
        raw = udp.extra(SocketAttribute.raw_socket)  # noqa: S610 (this is no database)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        if interface:
            card = socket.inet_aton(interface)
            raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, card)
        await udp.sendto(_question(address, port), address, port)
        with anyio.move_on_after(limit) as scope:
            async for packet, _ in udp:
                if (location := location_of(packet)) and (url := base_url(location)):
                    urls.append(url)
                    scope.deadline = min(scope.deadline, anyio.current_time() + HEARD_OUT)
    return urls


def _question(address: str, port: int) -> bytes:
    lines = (
        "M-SEARCH * HTTP/1.1",
        f"HOST: {address}:{port}",
        f"ST: {SERVICE}",
        'MAN: "ssdp:discover"',
        "MX: 1",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def location_of(packet: bytes) -> str | None:
    """Return the location in an answer, if it comes from a Flamenco Manager."""
    first, *rest = packet.decode("latin-1").split("\r\n")
    if not first.startswith("HTTP/1.1 200"):
        return None
    headers = dict(_headers(rest))
    who = headers.get("usn", "").split(":")
    is_ours = len(who) > 2 and who[0] == "uuid" and who[1] == DEVICE
    return headers.get("location") if is_ours else None


def _headers(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def base_url(location: str) -> str | None:
    """Return scheme, host and port of a URL; None if it has no host."""
    try:
        parts = urlsplit(location)
        usable = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}/" if usable else None
