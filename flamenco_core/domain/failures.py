"""What follows when a worker reports that a task failed."""

from __future__ import annotations

import attrs

from flamenco_core.domain.statuses import TaskStatus

__all__ = ["MAX_LOST", "FailureFacts", "FailureLimits", "Verdict", "verdict_on"]

MAX_LOST = 3
"""A task that was lost with its worker this many times is given up: it kills workers."""


@attrs.frozen(kw_only=True)
class FailureLimits:
    """How many failures are too many."""

    workers_per_task: int = 3
    """So many different workers failing a task make it ``failed`` for good."""
    tasks_per_worker: int = 3
    """So many failed tasks of one type in one job block a worker for them."""


@attrs.frozen(kw_only=True)
class FailureFacts:
    """What is known, with the present failure counted once.

    ``others`` are workers that may still try this task if this worker is not blocked:
    those with its type and tag that neither failed it nor are blocked.
    """

    workers_failed: int
    tasks_failed_by_worker: int
    others: int


@attrs.frozen(kw_only=True)
class Verdict:
    """What to do: the task's status, and whether to block the worker or fail the job."""

    task: TaskStatus
    block_worker: bool = False
    fail_job: bool = False


def verdict_on(facts: FailureFacts, limits: FailureLimits) -> Verdict:
    """Decide about a failed task."""
    block = facts.tasks_failed_by_worker >= limits.tasks_per_worker
    if facts.others == 0:
        return Verdict(task=TaskStatus.FAILED, block_worker=block, fail_job=True)
    if facts.workers_failed >= limits.workers_per_task:
        return Verdict(task=TaskStatus.FAILED, block_worker=block)
    return Verdict(task=TaskStatus.SOFT_FAILED, block_worker=block)
