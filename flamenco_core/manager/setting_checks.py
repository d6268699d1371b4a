"""How single settings of the Manager are read from the file, and what is refused.

Those that read raise `Wrong`, with the place in the file; those that check `ValueError`.
"""

from __future__ import annotations

import re
from typing import Any

from flamenco_core.config import Wrong
from flamenco_core.config.nodes import Scalar
from flamenco_core.domain.sleep_words import zone_named
from flamenco_core.manager.peers import network

__all__ = [
    "POSTGRESQL",
    "check_hosts",
    "check_networks",
    "check_url",
    "read_database",
    "read_listen",
    "read_version",
    "read_zone",
]

_LISTEN = re.compile(r"^(\[[0-9A-Fa-f:.%]*\]|[^\s:\[\]]*):(\d{1,5})$", re.ASCII)
POSTGRESQL = re.compile(r"^postgres(ql)?(\+psycopg)?://")
"""How the URL of a database on a server begins."""


def read_version(node: Any) -> int:
    """Read the version of the file's format."""
    if not isinstance(node, Scalar) or node.value != 3:
        raise Wrong("must be 3 or older; a newer Manager wrote these, run that one", node)
    return 3


def read_listen(node: Any) -> str:
    """Read an address and port."""
    text = node.text.strip() if isinstance(node, Scalar) else ""
    match = _LISTEN.match(text)
    if not match or int(match[2]) > 65535:
        raise Wrong("must be HOST:PORT, such as 127.0.0.1:8080, or :8080 for all", node)
    return text


def read_database(node: Any) -> str:
    """Read where the database is."""
    text = node.text.strip() if isinstance(node, Scalar) else ""
    scheme = text.partition(":")[0] if re.match(r"^\w{2,}(\+\w+)?:", text) else "file"
    if not text or (scheme not in ("file", "sqlite") and not POSTGRESQL.match(text)):
        raise Wrong("must be a file for SQLite, or postgresql+psycopg://user@host/name", node)
    return text


def read_zone(node: Any) -> str:
    """Read the name of a time zone."""
    name = node.text.strip() if isinstance(node, Scalar) else ""
    try:
        zone_named(name)
    except ValueError as error:
        raise Wrong(str(error), node) from None
    return name


def check_networks(_: Any, field: Any, value: tuple[str, ...]) -> None:
    """Refuse what is no network."""
    for text in value:
        try:
            network(text)
        except ValueError as error:
            raise ValueError(f"must be addresses or networks such as 10.0.0.0/8: {error}") from None


def check_url(_: Any, field: Any, value: str) -> None:
    """Refuse what people could not type into a browser."""
    if value and not re.fullmatch(r"https?://[^\s/?#@]+/?", value):
        raise ValueError("must be what people type, such as https://farm.example, without a path")


def check_hosts(_: Any, field: Any, value: tuple[str, ...]) -> None:
    """Refuse what is no name of a computer."""
    for name in value:
        if not re.fullmatch(r"\*|(\*\.)?[^\s:/@*]+", name):
            raise ValueError(f"must be names such as farm.example or *.example, not {name!r}")
