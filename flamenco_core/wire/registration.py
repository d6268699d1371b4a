"""Bodies of our own operations on who may join; not in Flamenco 3."""

from __future__ import annotations

from typing import Annotated

import attrs

from flamenco_core.wire.schema import Id, Limits, Time

__all__ = [
    "LONGEST",
    "MOST_USES",
    "MadeRegistrationToken",
    "NewRegistrationToken",
    "RegistrationToken",
    "RegistrationTokenList",
    "WorkerApproval",
    "WorkerMerge",
    "WorkerVariable",
    "WorkerVariables",
]


LONGEST = 366 * 24 * 3600
"""Seconds of a registration token; what counts for ever is forgotten, and found by somebody."""
MOST_USES = 100_000


@attrs.frozen(kw_only=True)
class NewRegistrationToken:
    """A token to be made: for how long, how many Workers, and what tag they get."""

    ttl_seconds: Annotated[int, Limits(minimum=1, maximum=LONGEST)] = 24 * 3600
    uses: Annotated[int, Limits(minimum=1, maximum=MOST_USES)] = 1
    tag: str | None = None
    """The tag's name."""


@attrs.frozen(kw_only=True)
class RegistrationToken:
    """What lets machines join; ``status`` is usable, used up, expired or revoked."""

    id: str
    status: str
    uses: int
    used: int
    created: Time
    expires: Time
    tag: str | None = None


@attrs.frozen(kw_only=True)
class MadeRegistrationToken:
    """A token with its secret, which is told this once and never again."""

    token: str
    details: RegistrationToken


@attrs.frozen
class RegistrationTokenList:
    """Tokens that count, and those that did not long ago."""

    tokens: list[RegistrationToken]


@attrs.frozen(kw_only=True)
class WorkerApproval:
    """Let a Worker in that waits for it, with a tag or without."""

    tag: str | None = None
    """The tag's name."""


@attrs.frozen(kw_only=True)
class WorkerVariable:
    """A variable, and what one Worker sees in its place; nothing if it has no value there."""

    name: str
    is_twoway: bool
    value: str | None = None


@attrs.frozen(kw_only=True)
class WorkerVariables:
    """What a Worker sees in place of variables; ``text`` is the one asked for, as it sees it."""

    platform: str
    variables: list[WorkerVariable]
    text: str | None = None


@attrs.frozen(kw_only=True)
class WorkerMerge:
    """The Worker that the machine was before."""

    old_worker_id: Id
