"""What a whole farm is doing, in one word."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import StrEnum

from flamenco_core.domain.statuses import JobStatus, WorkerStatus

__all__ = ["FarmStatus", "farm_status"]


class FarmStatus(StrEnum):
    """The status words of farms, as they stand on the wire."""

    ACTIVE = "active"
    IDLE = "idle"
    WAITING = "waiting"
    ASLEEP = "asleep"
    INOPERATIVE = "inoperative"
    UNKNOWN = "unknown"
    STARTING = "starting"


_AWAY = {WorkerStatus.OFFLINE, WorkerStatus.ERROR}


def farm_status(*, workers: AbstractSet[WorkerStatus], jobs: AbstractSet[JobStatus]) -> FarmStatus:
    """Return the status of a farm whose workers and jobs have these statuses.

    It is ``waiting`` when there is work and nobody who is awake to do it, or when what is
    there has not begun yet.
    """
    if workers <= _AWAY:
        return FarmStatus.INOPERATIVE
    if JobStatus.ACTIVE in jobs and WorkerStatus.AWAKE in workers:
        return FarmStatus.ACTIVE
    if jobs & {JobStatus.ACTIVE, JobStatus.QUEUED}:
        return FarmStatus.WAITING
    if WorkerStatus.ASLEEP in workers and WorkerStatus.AWAKE not in workers:
        return FarmStatus.ASLEEP
    return FarmStatus.IDLE
