"""Who is at the other end, if proxies stand between."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["Network", "Peers", "network"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

KEPT = 4096


def network(text: str) -> Network:
    """Read an address, or a network such as 10.0.0.0/8; raises `ValueError`."""
    return ipaddress.ip_network(text.strip(), strict=False)


class Peers:
    """Tells whom to believe about the address of a client."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = tuple(network(text) for text in trusted)
        self.has_proxies = bool(self._trusted)
        self.is_proxy = lru_cache(KEPT)(self._is_proxy)
        self.speaks_for_many = lru_cache(KEPT)(self._speaks_for_many)

    def _is_proxy(self, text: str) -> bool:
        """Say whether this is the address of a proxy that is to be believed."""
        address = _read(text)
        return address is not None and any(address in network for network in self._trusted)

    def _speaks_for_many(self, text: str) -> bool:
        """Say whether many clients may have this address, so that it is not limited."""
        address = _read(text)
        return address is not None and (address.is_loopback or self._is_proxy(text))

    def client(self, peer: str, forwarded: Iterable[bytes]) -> str:
        """Return the address of the client; *forwarded* are the X-Forwarded-For headers.

        Each proxy adds at the right whom it has heard from. Anybody can write the rest,
        so the first from the right that is no proxy of ours is the last one to believe.
        """
        hops = b",".join(forwarded).decode("latin-1").split(",")
        while self.is_proxy(peer) and hops:
            hop = _read(hops.pop().strip())
            if hop is None:
                break
            peer = str(hop)
        return peer


def _read(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for IPv6 and IPv4 says ::ffff:10.0.0.5 for 10.0.0.5.
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address
