"""Bodies of our own operations on how long jobs are kept; not in Flamenco 3."""

from __future__ import annotations

import attrs

from flamenco_core.wire.schema import Time

__all__ = ["ArchivedJob", "JobRetention", "PruneResult", "PruneSelection", "PrunedJob"]


@attrs.frozen(kw_only=True)
class JobRetention:
    """How long a job is kept: for ever, or for *seconds* after its last change.

    In an answer, ``expires`` is when it goes by itself, and ``reason`` why, or why not.
    """

    keep: bool = False
    seconds: int | None = None
    expires: str | None = None
    reason: str | None = None


@attrs.frozen(kw_only=True)
class PruneSelection:
    """Which finished jobs go: those of the settings' rules, unless it says how old."""

    dry_run: bool = False
    older_than_seconds: int | None = None
    statuses: list[str] = attrs.field(factory=list)
    user: str = ""
    archive: bool = False


@attrs.frozen(kw_only=True)
class PrunedJob:
    """A job that goes, and the bytes of its logs and images."""

    id: str
    name: str
    type: str
    status: str
    updated: Time
    reason: str
    size: int


@attrs.frozen(kw_only=True)
class PruneResult:
    """What goes, or would go."""

    dry_run: bool
    size: int
    jobs: list[PrunedJob]


@attrs.frozen
class ArchivedJob:
    """Where on the Manager's machine an archive was put, and how big it is."""

    path: str
    size: int
