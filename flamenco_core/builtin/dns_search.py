"""Finds a Manager by the name that a studio's DNS has for it."""

from __future__ import annotations

import socket

import anyio
import anyio.to_thread

__all__ = ["search_dns"]


async def search_dns(name: str, port: int, limit: float) -> list[str]:
    """Look a host name up, in the search domain too; return its URL, if it has an address.

    A name server that does not answer within *limit* seconds has none.
    """
    with anyio.move_on_after(limit):
        # The thread ends by itself; the system's own patience is longer than ours.
        known = await anyio.to_thread.run_sync(_is_known, name, port, abandon_on_cancel=True)
        return [f"http://{name}:{port}/"] if known else []
    return []


def _is_known(name: str, port: int) -> bool:
    try:
        return bool(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return False
