"""Bodies of the operations on blocklists."""

from __future__ import annotations

from typing import Annotated

import attrs

from flamenco_core.wire.schema import Id, Limits, Time

__all__ = [
    "LONGEST",
    "JobBlocklistAddition",
    "JobBlocklistEntry",
    "JobBlocklistRemoval",
    "WorkerBlocklistEntry",
]

LONGEST = 10 * 365 * 86400
"""Seconds that an entry may count which is not for good."""


@attrs.frozen(kw_only=True)
class JobBlocklistEntry:
    """A worker that gets no more tasks of one type from a job.

    Why, since when, through whom and until when is ours. An entry that nobody has added
    was added by the Manager; one that does not expire stays.
    """

    worker_id: str
    task_type: str
    worker_name: str | None = None
    reason: str | None = None
    added_at: Time | None = None
    added_by: str | None = None
    expires_at: Time | None = None


@attrs.frozen(kw_only=True)
class JobBlocklistRemoval:
    """An entry to be removed. What else was shown of it may be sent, and does not matter."""

    worker_id: str
    task_type: str
    worker_name: str | None = None


@attrs.frozen(kw_only=True)
class JobBlocklistAddition:
    """A worker to be blocked, for ``seconds`` or for good; ours, not in Flamenco 3."""

    worker_id: Id
    task_type: str
    reason: str | None = None
    seconds: Annotated[int, Limits(minimum=1, maximum=LONGEST)] | None = None


@attrs.frozen(kw_only=True)
class WorkerBlocklistEntry:
    """A job from which a worker gets no more tasks of one type; ours."""

    job_id: str
    job_name: str
    job_status: str
    task_type: str
    reason: str | None = None
    added_at: Time | None = None
    added_by: str | None = None
    expires_at: Time | None = None
