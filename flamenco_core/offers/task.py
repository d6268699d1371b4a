"""A task as a Worker sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["CommandToRun", "TaskToRun"]


@attrs.frozen(kw_only=True)
class CommandToRun:
    """One command of a task, variables already replaced."""

    name: str
    parameters: Mapping[str, Any]
    total_step_count: int = 0


@attrs.frozen(kw_only=True)
class TaskToRun:
    """One run of a task: what, for which job, and under which epoch."""

    id: str
    job_id: str
    name: str
    job_type: str
    task_type: str
    commands: tuple[CommandToRun, ...]
    priority: int = 50
    job_priority: int = 50
    steps_total: int = 0
    epoch: int | None = None
    """Number of this run; `None` from a Manager that has no epochs."""
