"""What a Manager tells those who search for one: its name, and where it is."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import attrs

from flamenco_core.builtin.own_addresses import Address, Card, towards

__all__ = ["Announcement", "url_of"]


@attrs.frozen(kw_only=True)
class Announcement:
    """A Manager and the addresses it listens on.

    *served* is host and port of each listening socket, at least one; an unspecified host
    (``0.0.0.0``, ``::``) is every network card. *own* is what `own_addresses` returns.
    """

    name: str
    version: str
    served: Sequence[tuple[str, int]]
    own: Sequence[Card]

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the Manager."""
        return all(ipaddress.ip_address(host).is_loopback for host, _ in self.served)

    @property
    def addresses(self) -> list[Address]:
        """All addresses that others may reach the Manager by, IPv4 first.

        Loopback only when there is nothing else.
        """
        found = [address for host, _ in self.served for address in self._meant(host)]
        return _best(found)

    @property
    def cards(self) -> list[Address]:
        """The IPv4 addresses of the network cards to be found on.

        A Manager that listens on one address is found on that network card only, one that
        listens on loopback only by this machine.
        """
        ours: list[Address] = [card.ip for card in self.own if card.version == 4]
        if self.is_local:
            return [address for address in ours if address.is_loopback][:1]
        hosts = [ipaddress.ip_address(host) for host, _ in self.served]
        if all(host.version == 4 and not host.is_unspecified for host in hosts):
            return [host for host in hosts if not host.is_loopback]
        # One that has IPv6 only is asked by IPv4 all the same.
        return _best(ours)

    def urls_for(self, asker: Address) -> list[str]:
        """Return the URLs for somebody at *asker*; none if the Manager is out of reach.

        IPv4 if there is any: Flamenco's own Workers take the first URL that answers.
        """
        near = towards(asker)
        urls: dict[str, int] = {}
        for host, port in self.served:
            for address in self._meant(host, near):
                if asker.is_loopback or not address.is_loopback:
                    urls[url_of(address, port)] = address.version
        first = min(urls.values(), default=0)
        return [url for url, version in urls.items() if version == first]

    def _meant(self, host: str, near: Address | None = None) -> list[Address]:
        """Return the addresses behind a host, the nearest one if that is of its kind."""
        address = ipaddress.ip_address(host)
        if not address.is_unspecified:
            return [address]
        if near is not None and near.version == address.version:
            return [near]
        return [card.ip for card in self.own if card.version == address.version]


def url_of(address: Address, port: int) -> str:
    """Return the URL of a server at an address; it ends with a slash."""
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"http://{host}:{port}/"


def _best(addresses: Sequence[Address]) -> list[Address]:
    reachable = [address for address in addresses if not address.is_loopback]
    return sorted(set(reachable or addresses), key=lambda a: (a.version, int(a)))
