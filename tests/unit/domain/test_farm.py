from __future__ import annotations

import pytest

from flamenco_core.domain.farm import farm_status
from flamenco_core.domain.statuses import JobStatus, WorkerStatus

AWAKE, ASLEEP, OFFLINE = WorkerStatus.AWAKE, WorkerStatus.ASLEEP, WorkerStatus.OFFLINE
ERROR = WorkerStatus.ERROR
ACTIVE, QUEUED, DONE = JobStatus.ACTIVE, JobStatus.QUEUED, JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("workers", "jobs", "status"),
    [
        ([], [ACTIVE], "inoperative"),
        ([OFFLINE, ERROR], [], "inoperative"),
        ([AWAKE, OFFLINE], [ACTIVE, DONE], "active"),
        ([ASLEEP], [ACTIVE], "waiting"),
        ([AWAKE], [QUEUED], "waiting"),
        ([ASLEEP, OFFLINE], [DONE], "asleep"),
        ([AWAKE, ASLEEP], [DONE], "idle"),
        ([AWAKE], [], "idle"),
    ],
)
def test_status(workers: list[WorkerStatus], jobs: list[JobStatus], status: str) -> None:
    assert farm_status(workers=set(workers), jobs=set(jobs)) == status
