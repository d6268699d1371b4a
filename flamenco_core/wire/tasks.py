"""Bodies of the ``jobs`` operations on tasks."""

from __future__ import annotations

import attrs

from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.wire.schema import Time
from flamenco_core.wire.worker import Command

__all__ = [
    "JobTasksSummary",
    "Task",
    "TaskLogInfo",
    "TaskStatusChange",
    "TaskSummary",
    "TaskWorker",
]


@attrs.frozen(kw_only=True)
class TaskWorker:
    """The worker of a task; three empty texts where there is none."""

    id: str
    name: str
    address: str


@attrs.frozen(kw_only=True)
class TaskSummary:
    """A task in a list."""

    id: str
    name: str
    status: TaskStatus
    index_in_job: int
    priority: int
    task_type: str
    updated: Time
    steps_completed: int
    steps_total: int
    worker: TaskWorker


@attrs.frozen
class JobTasksSummary:
    """All tasks of a job."""

    tasks: list[TaskSummary]


@attrs.frozen(kw_only=True)
class Task:
    """A task with all that is known of it; commands before variables are replaced."""

    id: str
    created: Time
    updated: Time
    job_id: str
    index_in_job: int
    name: str
    status: TaskStatus
    priority: int
    task_type: str
    activity: str
    commands: list[Command]
    steps_completed: int
    steps_total: int
    worker: TaskWorker
    failed_by_workers: list[TaskWorker]
    last_touched: Time | None = None


@attrs.frozen(kw_only=True)
class TaskLogInfo:
    """Where to download a task's log, and how many bytes it has."""

    task_id: str
    job_id: str
    url: str
    size: int


@attrs.frozen
class TaskStatusChange:
    """What somebody wants of a task, and why."""

    status: TaskStatus
    reason: str
