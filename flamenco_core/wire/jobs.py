"""Bodies of the ``jobs`` operations on jobs."""

from __future__ import annotations

from typing import Annotated, Any

import attrs

from flamenco_core.domain.statuses import JobStatus
from flamenco_core.wire.retention import JobRetention
from flamenco_core.wire.schema import Id, Limits, Time

__all__ = [
    "Job",
    "JobDeletionInfo",
    "JobMassDeletionSelection",
    "JobPriorityChange",
    "JobStatusChange",
    "JobStorageInfo",
    "JobTagChange",
    "JobWhy",
    "JobsQueryResult",
    "SubmittedJob",
    "WaitingReason",
    "WaitingTask",
]


@attrs.frozen
class JobStorageInfo:
    """Where a job's files came from."""

    shaman_checkout_id: str | None = None


@attrs.frozen(kw_only=True)
class SubmittedJob:
    """A job as clients hand it in."""

    name: str
    type: str
    submitter_platform: str
    priority: int = 50
    type_etag: str | None = None
    settings: dict[str, Any] = attrs.field(factory=dict)
    metadata: dict[str, str] = attrs.field(factory=dict)
    storage: JobStorageInfo | None = None
    worker_tag: str | None = None
    initial_status: JobStatus | None = None
    id: Id | None = None
    """UUID chosen by the client: sent again, it gives the same job. (Ours.)"""


@attrs.frozen(kw_only=True)
class Job:
    """A job as the Manager shows it."""

    id: str
    name: str
    type: str
    priority: int
    created: Time
    updated: Time
    status: JobStatus
    activity: str
    steps_completed: int
    steps_total: int
    settings: dict[str, Any]
    metadata: dict[str, str]
    submitter_platform: str = ""
    storage: JobStorageInfo | None = None
    worker_tag: str | None = None
    delete_requested_at: Time | None = None
    retention: JobRetention | None = None
    """How long it is kept, if somebody or a rule says so; where one job is shown. (Ours.)"""


@attrs.frozen
class JobsQueryResult:
    """A list of jobs."""

    jobs: list[Job]


@attrs.frozen
class JobStatusChange:
    """What somebody wants of a job, and why."""

    status: JobStatus
    reason: str


@attrs.frozen
class JobPriorityChange:
    """A new priority, 0 to 100."""

    priority: Annotated[int, Limits(minimum=0, maximum=100)]


@attrs.frozen(kw_only=True)
class JobTagChange:
    """A new worker tag; the id wins over the name, neither removes the tag."""

    id: str | None = None
    name: str | None = None


@attrs.frozen
class JobMassDeletionSelection:
    """Which jobs to delete: those not changed since; RFC 3339, with a zone."""

    last_updated_max: Time


@attrs.frozen
class JobDeletionInfo:
    """What deleting the job would also delete."""

    shaman_checkout: bool


@attrs.frozen
class WaitingTask:
    """A task that waits."""

    id: str
    name: str


@attrs.frozen(kw_only=True)
class WaitingReason:
    """Why some tasks of a job wait: how many do, and the first few of them."""

    reason: str
    tasks_count: int
    tasks: list[WaitingTask]


@attrs.frozen(kw_only=True)
class JobWhy:
    """Why a job's tasks are not at work; ours, not in Flamenco 3."""

    job_id: str
    status: JobStatus
    reasons: list[WaitingReason]
