"""Bodies of the ``worker-mgt`` operations."""

from __future__ import annotations

import attrs

from flamenco_core.domain.statuses import TaskStatus, WorkerStatus
from flamenco_core.wire.schema import Id, Time
from flamenco_core.wire.tasks import TaskWorker

__all__ = [
    "Worker",
    "WorkerList",
    "WorkerStatusChangeRequest",
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
    pending_approval: bool | None = None
    """It waits for an operator to approve it. (Ours.)"""
    may_be_again: list[Id] | None = None
    """Workers that this one seems to have been before. (Ours.)"""


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
    task: WorkerTask | None = None
    tags: list[WorkerTag] | None = None
    pending_approval: bool | None = None
    may_be_again: list[Id] | None = None
