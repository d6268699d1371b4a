"""What events say of jobs, tasks, workers, tags and images, as they were at that moment.

Times are microseconds since 1970, UTC.
"""

from __future__ import annotations

import attrs

from flamenco_core.domain.impossible import ImpossibleTasks
from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus

__all__ = [
    "BlockFacts",
    "ImageFacts",
    "ImpossibleFacts",
    "JobFacts",
    "TagFacts",
    "TaskFacts",
    "WorkerFacts",
]


@attrs.frozen(kw_only=True)
class JobFacts:
    """A job at the moment of an event."""

    id: str
    name: str
    type: str
    priority: int
    status: JobStatus
    updated: int
    steps_completed: int
    steps_total: int
    delete_requested_at: int | None = None


@attrs.frozen(kw_only=True)
class TaskFacts:
    """A task at the moment of an event; no worker is two empty texts."""

    id: str
    job_id: str
    name: str
    status: TaskStatus
    activity: str
    updated: int
    steps_completed: int
    steps_total: int
    worker_id: str = ""
    worker_name: str = ""


@attrs.frozen(kw_only=True)
class WorkerFacts:
    """A worker at the moment of an event."""

    id: str
    name: str
    status: WorkerStatus
    updated: int
    version: str
    can_restart: bool
    last_seen: int | None = None
    status_requested: WorkerStatus | None = None
    is_lazy: bool = False


@attrs.frozen(kw_only=True)
class TagFacts:
    """A worker tag at the moment of an event."""

    id: str
    name: str
    description: str = ""


@attrs.frozen(kw_only=True)
class BlockFacts:
    """A worker on a job's blocklist, until ``expires_at`` or for good."""

    worker_id: str
    worker_name: str
    task_type: str
    reason: str
    expires_at: int | None = None


@attrs.frozen(kw_only=True)
class ImpossibleFacts:
    """Tasks of one type in a job that no known worker may run, why, and what was done."""

    task_type: str
    count: int
    reason: str
    done: ImpossibleTasks


@attrs.frozen(kw_only=True)
class ImageFacts:
    """An image that was rendered: of what, and when it came (microseconds since 1970).

    ``frame`` is empty where the worker did not say it.
    """

    id: str
    job_id: str
    task_id: str
    frame: int | None
    stored_at: int
