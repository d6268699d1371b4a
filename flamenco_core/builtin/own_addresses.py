"""Which addresses this machine has, and which of them others reach it by."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import TypeAlias

import ifaddr

__all__ = ["Address", "Card", "is_neighbor", "own_addresses", "towards"]

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Card: TypeAlias = ipaddress.IPv4Interface | ipaddress.IPv6Interface
"""One address of a network card, with its network."""

_ANY_PORT = 9


def own_addresses() -> list[Card]:
    """Return the addresses of all network cards, sorted, IPv4 first.

    IPv6's link-local ones are left out: without the name of the asker's own network card
    nobody can use them.
    """
    cards: set[Card] = set()
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0].partition("%")[0]
            cards.add(ipaddress.ip_interface(f"{text}/{ip.network_prefix}"))
    usable = [card for card in cards if card.version == 4 or not card.ip.is_link_local]
    return sorted(usable, key=lambda card: (card.version, int(card.ip)))


def towards(asker: Address) -> Address | None:
    """Return our address on the way to *asker*; None if there is no way.

    Nothing is sent: connecting a UDP socket only looks up the route.
    """
    family = socket.AF_INET if asker.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            udp.connect((str(asker), _ANY_PORT))
            return ipaddress.ip_address(udp.getsockname()[0])
    except OSError:
        return None


def is_neighbor(address: Address, own: Iterable[Card]) -> bool:
    """Say whether *address* is one machine's, on a network of ours or a private one.

    Broadcast and multicast addresses are nobody's: an answer to a question that claims to
    come from there would go to everybody.
    """
    own = list(own)
    reserved = address.is_reserved and not address.is_loopback  # ::1 is both
    if address.is_multicast or address.is_unspecified or reserved:
        return False
    if any(_means_all(address, card) for card in own):
        return False
    return address.is_private or any(address in card.network for card in own)


def _means_all(address: Address, card: Card) -> bool:
    network = card.network
    # Networks of two addresses or one have no broadcast address (RFC 3021).
    return network.num_addresses > 2 and address in (
        network.broadcast_address,
        network.network_address,
    )
