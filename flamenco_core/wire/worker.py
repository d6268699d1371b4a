"""Bodies of the ``worker`` operations: what Workers and the Manager say to each other.

``epoch``, ``seq`` and ``log_offset`` are ours. Flamenco's own Workers neither send nor
mind them.
"""

from __future__ import annotations

from typing import Annotated, Any

import attrs

from flamenco_core.domain.statuses import TaskStatus, WorkerStatus
from flamenco_core.wire.schema import Limits

__all__ = [
    "AssignedTask",
    "Command",
    "MayKeepRunning",
    "NewSecret",
    "RegisteredWorker",
    "TaskUpdate",
    "WorkerRegistration",
    "WorkerSignOn",
    "WorkerStateChange",
    "WorkerStateChanged",
]


@attrs.frozen(kw_only=True)
class WorkerRegistration:
    """A new worker introduces itself; it makes its own secret (64 hex digits)."""

    name: str
    platform: str
    secret: Annotated[str, Limits(minLength=1)]
    supported_task_types: list[str]
    machine: str | None = None
    """The same for each registration from one computer and home, and no other. (Ours.)"""


@attrs.frozen(kw_only=True)
class RegisteredWorker:
    """The Manager's answer; ``uuid`` is the user name from now on."""

    uuid: str
    name: str
    address: str
    status: WorkerStatus
    platform: str
    software: str
    supported_task_types: list[str]


@attrs.frozen(kw_only=True)
class WorkerSignOn:
    """A worker starts to work."""

    name: str
    supported_task_types: list[str]
    software_version: str
    can_restart: bool = False


@attrs.frozen
class WorkerStateChange:
    """What the Manager wants the worker to be."""

    status_requested: WorkerStatus
    pending_approval: bool | None = None
    """It sleeps until an operator has approved it. (Ours.)"""


@attrs.frozen
class NewSecret:
    """The secret that a worker uses from now on; ours."""

    secret: Annotated[str, Limits(minLength=32)]


@attrs.frozen
class WorkerStateChanged:
    """What the worker says that it is now."""

    status: WorkerStatus


@attrs.frozen(kw_only=True)
class Command:
    """One command of a task."""

    name: str
    parameters: dict[str, Any]
    total_step_count: int = 0


@attrs.frozen(kw_only=True)
class AssignedTask:
    """A task for the worker that asked. Variables are replaced for its platform."""

    uuid: str
    job: str
    name: str
    status: TaskStatus
    priority: int
    job_priority: int
    job_type: str
    task_type: str
    commands: list[Command]
    steps_completed: int
    steps_total: int
    epoch: int | None = None
    """Number of this run; send it back with every update. (Ours.)"""


@attrs.frozen(kw_only=True)
class TaskUpdate:
    """What a worker reports of its task; every key is optional."""

    taskStatus: TaskStatus | None = None
    activity: str | None = None
    log: str | None = None
    steps_completed: int | None = None
    epoch: int | None = None
    """The epoch that the task was assigned with. (Ours.)"""
    seq: int | None = None
    """Number of this update in its run, from 1; repeats change nothing. (Ours.)"""
    log_offset: Annotated[int, Limits(minimum=0)] | None = None
    """Where ``log`` belongs: bytes of UTF-8 logged before it in this run. (Ours.)"""


@attrs.frozen(kw_only=True)
class MayKeepRunning:
    """Whether the worker may go on with its task."""

    mayKeepRunning: bool
    reason: str
    statusChangeRequested: bool
