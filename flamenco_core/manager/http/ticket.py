"""An address that lets Workers in: ``/join/TOKEN/api/v3/...``.

Flamenco's own Workers cannot be told a token, but keep the path of their ``manager_url``.
So the token may stand there. It counts when they register, and means nothing later.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

__all__ = ["JOIN", "take_ticket"]

JOIN = "/join/"


def take_ticket(scope: Any) -> None:
    """Keep the token of a request, and take it out of the address.

    What comes after, log lines and errors too, sees the address without it.
    """
    ticket, slash, rest = scope["path"][len(JOIN) :].partition("/")
    if not slash:
        return
    scope["path"] = f"/{rest}"
    raw = scope.get("raw_path")
    if raw:
        scope["raw_path"] = b"/" + raw[len(JOIN) :].partition(b"/")[2]
    scope["state"]["ticket"] = unquote(ticket)
