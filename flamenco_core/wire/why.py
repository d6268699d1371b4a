"""Bodies of the operations that say why a task or worker is not at work; ours."""

from __future__ import annotations

import attrs

from flamenco_core.domain.statuses import TaskStatus, WorkerStatus
from flamenco_core.wire.jobs import WaitingTask

__all__ = ["TaskWhy", "WorkerWhy"]


@attrs.frozen(kw_only=True)
class TaskWhy:
    """Why a task is not at work, and the first of the tasks that it waits for."""

    task_id: str
    job_id: str
    name: str
    status: TaskStatus
    reason: str
    waits_for: list[WaitingTask]


@attrs.frozen(kw_only=True)
class WorkerWhy:
    """Why a worker is not at work, the most important reason first."""

    worker_id: str
    name: str
    status: WorkerStatus
    reasons: list[str]
