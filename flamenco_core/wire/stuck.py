"""Bodies of the operation that looks for stuck jobs; ours, not in Flamenco 3."""

from __future__ import annotations

import attrs

from flamenco_core.domain.impossible import ImpossibleTasks
from flamenco_core.domain.statuses import JobStatus

__all__ = ["StuckCheck", "StuckFound", "StuckJob", "StuckTasks"]


@attrs.frozen
class StuckCheck:
    """What to do about tasks that nobody may run; by default what the settings say."""

    impossible_tasks: ImpossibleTasks | None = None


@attrs.frozen(kw_only=True)
class StuckJob:
    """A job that was on its way to a status for too long, and what it is now."""

    job_id: str
    name: str
    previous_status: JobStatus
    status: JobStatus


@attrs.frozen(kw_only=True)
class StuckTasks:
    """Tasks of one type in a job that no known worker may run, why, and what was done."""

    job_id: str
    job_name: str
    task_type: str
    tasks_count: int
    reason: str
    done: ImpossibleTasks


@attrs.frozen(kw_only=True)
class StuckFound:
    """What was repaired, and what cannot go on."""

    repaired: list[StuckJob]
    impossible: list[StuckTasks]
