"""The status words of jobs, tasks and workers, as they stand on the wire."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["DONE", "OPEN", "WAITING", "JobStatus", "TaskStatus", "Wanted", "WorkerStatus"]


class JobStatus(StrEnum):
    """What a job is doing; derived by `flamenco_core.domain.jobs.job_status`."""

    ACTIVE = "active"
    CANCELED = "canceled"
    CANCEL_REQUESTED = "cancel-requested"
    COMPLETED = "completed"
    FAILED = "failed"
    PAUSED = "paused"
    PAUSE_REQUESTED = "pause-requested"
    QUEUED = "queued"
    REQUEUEING = "requeueing"
    UNDER_CONSTRUCTION = "under-construction"


class TaskStatus(StrEnum):
    """What a task is doing."""

    ACTIVE = "active"
    CANCELED = "canceled"
    COMPLETED = "completed"
    FAILED = "failed"
    PAUSED = "paused"
    QUEUED = "queued"
    SOFT_FAILED = "soft-failed"


class WorkerStatus(StrEnum):
    """What a worker is doing, or is asked to do."""

    ASLEEP = "asleep"
    AWAKE = "awake"
    ERROR = "error"
    OFFLINE = "offline"
    RESTART = "restart"
    STARTING = "starting"
    TESTING = "testing"


class Wanted(StrEnum):
    """What people (or, for ``fail``, the failure policy) want of a job."""

    RUN = "run"
    PAUSE = "pause"
    CANCEL = "cancel"
    FAIL = "fail"


WAITING = frozenset({TaskStatus.QUEUED, TaskStatus.SOFT_FAILED})
"""Tasks that a worker may be given, once their parents are completed."""

OPEN = WAITING | {TaskStatus.ACTIVE}
"""Tasks that are still to be finished."""

DONE = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELED})
"""Tasks that end here unless a person asks for them again."""
