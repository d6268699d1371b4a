"""Bodies of the ``worker-mgt`` operations."""

from __future__ import annotations

import attrs

from flamenco_core.domain.statuses import TaskStatus, WorkerStatus
from flamenco_core.domain.workers import RequestOutcome
from flamenco_core.wire.schema import Id, Time
from flamenco_core.wire.tasks import TaskWorker

__all__ = [
    "Worker",
    "WorkerList",
    "WorkerStatusChangeRequest",
    "WorkerStatusRequest",
    "WorkerStatusRequestList",
    "WorkerSummary",
    "WorkerTag",
    "WorkerTagChangeRequest",
    "WorkerTagList",
    "WorkerTask",
]


@attrs.frozen
class WorkerStatusChangeRequest:
    """What somebody wants a worker to be; lazy waits for its task to end."""

    status: WorkerStatus
    is_lazy: bool


@attrs.frozen(kw_only=True)
class WorkerStatusRequest:
    """What a worker was asked to be, and what became of it; ours, not in Flamenco 3.

    One that nobody has asked for is the farm's: a worker that stops is to come back as it
    left. Without an ``outcome`` it waits for the worker.
    """

    id: str
    status: WorkerStatus
    is_lazy: bool
    asked_at: Time
    asked_by: str | None = None
    ended_at: Time | None = None
    outcome: RequestOutcome | None = None


@attrs.frozen
class WorkerStatusRequestList:
    """What a worker was asked to be, the newest first."""

    requests: list[WorkerStatusRequest]


@attrs.frozen(kw_only=True)
class WorkerTag:
    """A label that ties jobs to workers."""

    name: str
    id: str | None = None
    description: str | None = None


@attrs.frozen
class WorkerTagList:
    """All tags."""

    tags: list[WorkerTag]


@attrs.frozen
class WorkerTagChangeRequest:
    """The tags a worker has from now on."""

    tag_ids: list[str]


@attrs.frozen(kw_only=True)
class WorkerTask:
    """The task a worker is busy with, or was last."""

    id: str
    job_id: str
    name: str
    status: TaskStatus
    index_in_job: int
    priority: int
    task_type: str
    updated: Time
    steps_completed: int
    steps_total: int
    worker: TaskWorker


@attrs.frozen(kw_only=True)
class WorkerSummary:
    """A worker in a list."""

    id: str
    name: str
    status: WorkerStatus
    version: str
    can_restart: bool
    status_change: WorkerStatusChangeRequest | None = None
    last_seen: Time | None = None
    tags: list[WorkerTag] | None = None
    """Left out by events. (Ours; Flamenco has them with a single worker only.)"""
    pending_approval: bool | None = None
    """It waits for an operator to approve it. (Ours.)"""
    may_be_again: list[Id] | None = None
    """Workers that this one seems to have been before. (Ours.)"""
    is_late: bool | None = None
    """It should have called by now, and is given up if it does not. (Ours.)"""


@attrs.frozen
class WorkerList:
    """All workers."""

    workers: list[WorkerSummary]


@attrs.frozen(kw_only=True)
class Worker:
    """A worker with all that is known of it."""

    id: str
    name: str
    status: WorkerStatus
    version: str
    can_restart: bool
    ip_address: str
    platform: str
    supported_task_types: list[str]
    status_change: WorkerStatusChangeRequest | None = None
    last_seen: Time | None = None
    is_late: bool | None = None
    """It should have called by now, and is given up if it does not. (Ours.)"""
    task: WorkerTask | None = None
    tags: list[WorkerTag] | None = None
    pending_approval: bool | None = None
    may_be_again: list[Id] | None = None
