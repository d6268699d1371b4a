"""Tells the network by zeroconf (mDNS) that there is a Manager, and where."""

from __future__ import annotations

import re
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from flamenco_core.builtin.announcement import Announcement
from flamenco_core.builtin.zeroconf_search import TYPE

__all__ = ["announce_zeroconf", "describe"]

GOODBYE = 0.8
"""Seconds to take leave in; the Manager waits a little longer than that when it stops."""
LONGEST_NAME = 55
"""Bytes: a name has 63 at most, and one that is taken gets a number."""


async def announce_zeroconf(
    here: Announcement,
    ready: Callable[[str], None],
    until_moved: Callable[[], Awaitable[None]],
    host: str | None = None,
) -> None:
    """Announce until this machine's addresses change.

    *host* is the name of this machine, which tells Managers of one name apart. Raises
    `OSError` when the port is taken or the network knows no multicast.
    """
    from zeroconf import Error
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    cards = [str(card) for card in here.cards] or [str(a) for a in here.addresses]
    if not cards:
        raise OSError("this machine has no network address")
    try:
        zeroconf = AsyncZeroconf(interfaces=cards)
    except RuntimeError as error:  # a network card was there a moment ago
        raise OSError(str(error)) from error
    try:
        info = AsyncServiceInfo(TYPE, **describe(here, host or socket.gethostname()))
        await (await zeroconf.async_register_service(info, allow_name_change=True))
        ready(f"by zeroconf as {info.name.removesuffix('.' + TYPE)!r} on {', '.join(cards)}")
        await until_moved()
    except Error as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    finally:
        with anyio.move_on_after(GOODBYE, shield=True):
            await zeroconf.async_close()


def describe(here: Announcement, host: str) -> dict[str, Any]:
    """Return what the announcement says, as arguments of zeroconf's ``ServiceInfo``."""
    port = here.served[0][1]
    label = _label(f"{here.name} on {host}", LONGEST_NAME)
    # A host name of our own: the system's may be announced by the system already, with
    # addresses at which the Manager does not listen.
    server = re.sub(r"[^A-Za-z0-9-]+", "-", host)[:40].strip("-") or "host"
    return {
        "name": f"{label}.{TYPE}",
        "port": port,
        "addresses": [address.packed for address in here.addresses],
        "server": f"flamenco-{server}-{port}.local.",
        "properties": {"name": _cut(here.name, 200), "version": here.version, "path": "/"},
    }


def _label(text: str, longest: int) -> str:
    """Make a name of one part: a dot would begin the next."""
    plain = re.sub(r"[.\x00-\x1f\x7f]+", "-", text)
    return _cut(plain, longest).strip() or "Flamenco"


def _cut(text: str, longest: int) -> str:
    return text.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")
