"""What the scheduler weighs: who asks for work, and what could be given."""

from __future__ import annotations

import attrs

__all__ = ["Candidate", "WorkerAtWork"]


@attrs.frozen(kw_only=True)
class WorkerAtWork:
    """A worker that asks for a task. Tags are UUIDs."""

    id: str
    name: str
    platform: str
    task_types: tuple[str, ...]
    tags: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Candidate:
    """The first task of one job, task type and task priority that the worker may run."""

    task_id: str
    task_name: str
    task_type: str
    task_priority: int
    job_id: str
    job_name: str
    job_type: str
    job_priority: int
