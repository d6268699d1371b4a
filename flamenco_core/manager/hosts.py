"""What the Manager may be called by: the defense against DNS rebinding.

A web page that an artist opens may ask for its own name anew and get an address of the
studio as the answer; then the browser takes the Manager for a part of that page. But the
name stays the page's, and the Manager knows better what it is called. Addresses, and names
that nobody can own in the public DNS, are always right.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from flamenco_core.errors import BadRequest

__all__ = ["Hosts", "host_name"]

KEPT = 4096
PRIVATE = ("localhost", "local", "home.arpa", "internal", "lan", "home", "corp", "test")
"""Ends of names that the public DNS does not have, by RFCs 6761, 6762 and 8375, by ICANN's
word, or since routers use it everywhere (lan)."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\\@\[\]?#,]+)(:\d{0,5})?")


class Hosts:
    """The names of this Manager."""

    def __init__(self, names: Iterable[str], public_url: str = "") -> None:
        self._names = {*map(_plain, names), _plain(socket.gethostname())}
        if public_url:
            self._names.add(_plain(urlsplit(public_url).hostname or ""))
        self.knows = lru_cache(KEPT)(self._knows)

    def learn(self, name: str) -> None:
        """Take in another name of this machine."""
        self._names.add(_plain(name))
        self.knows.cache_clear()

    def _knows(self, header: bytes) -> bool:
        """Say whether a ``Host`` header names this Manager; `BadRequest` if it is none."""
        name = host_name(header.decode("latin-1"))
        return "*" in self._names or _is_private(name) or self._is_ours(name)

    def _is_ours(self, name: str) -> bool:
        parents = name.split(".")
        wild = (f"*.{'.'.join(parents[n:])}" for n in range(1, len(parents)))
        return name in self._names or any(parent in self._names for parent in wild)


def host_name(header: str) -> str:
    """Return the name or address of a ``Host`` header, without the port."""
    match = _HOST.fullmatch(header)
    if match is None:
        raise BadRequest(f"the Host header {header!r:.80} names no host")
    return _plain(match[1])


def _plain(name: str) -> str:
    name = name.strip().rstrip(".").lower()
    try:
        return name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        return name


def _is_private(name: str) -> bool:
    # A name without a dot is one of this network: there are no such public names.
    if "." not in name or name.endswith(tuple(f".{end}" for end in PRIVATE)):
        return True
    try:
        ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True
