"""Until a farm is set up, it answers to its own machine only."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

__all__ = ["HOW_TO_SET_UP", "is_of_this_machine", "loopback_of"]

HOW_TO_SET_UP = (
    "this Manager is not set up yet, and answers to its own machine only until then;"
    " open it in a browser there, or set 'shared_storage_path' (FLAMENCO_SHARED_STORAGE_PATH,"
    " --shared) to the folder that all machines of the farm share"
)
_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip")


def is_of_this_machine(client: tuple[str, int] | None, headers: Iterable[Any]) -> bool:
    """Say whether a request came from this machine.

    A proxy on this machine speaks for others: what was passed on counts as theirs.
    """
    if any(name.lower() in _FORWARDED for name, _ in headers):
        return False
    return client is None or _is_loopback(client[0])


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def loopback_of(host: str) -> str:
    """Return the address of this machine to serve on in place of *host*."""
    if host == "localhost" or _is_loopback(host):
        return host
    return "::1" if ":" in host and host != "::" else "127.0.0.1"
