"""How much the Manager takes from anybody: section ``limits`` of the settings."""

from __future__ import annotations

import attrs
from attrs import validators

from flamenco_core.config import Duration, option

__all__ = ["Limits"]


@attrs.frozen(kw_only=True)
class Limits:
    """How much and how long, before the Manager has had enough of a client."""

    header_timeout: Duration = option(
        Duration.parse("10s"), "How long the head of a request may take; 0 means for ever."
    )
    body_timeout: Duration = option(
        Duration.parse("30s"), "How long a JSON body may take; 0 means for ever."
    )
    stall_timeout: Duration = option(
        Duration.parse("1m"),
        "How long an upload, or a client that reads an answer, may make no progress;"
        " 0 means for ever.",
    )
    idle_timeout: Duration = option(
        Duration.parse("1m"),
        "How long a connection is kept for the next request.",
        validator=validators.gt(Duration()),
    )
    connections: int = option(
        2000,
        "Connections at a time; fewer if the system does not let the Manager open so many.",
        validator=validators.ge(1),
    )
    connections_per_address: int = option(
        200,
        "Connections at a time from one address; 0 means no limit. This machine and"
        " `trusted_proxies` are not counted: they speak for many.",
        validator=validators.ge(0),
    )
    registrations_per_minute: int = option(
        30,
        "New Workers from one address; 0 means no limit. This machine's are not counted.",
        validator=validators.ge(0),
    )
    requests_per_minute: int = option(
        6000,
        "Requests of clients without an identity, from one address; 0 means no limit. This"
        " machine's are not counted.",
        validator=validators.ge(0),
    )
    worker_requests_per_minute: int = option(
        60_000, "Requests of one Worker; 0 means no limit.", validator=validators.ge(0)
    )
