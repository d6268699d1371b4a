"""Bodies of the operations that test workers; ours, not in Flamenco 3."""

from __future__ import annotations

import attrs

from flamenco_core.domain.trials import TrialStatus
from flamenco_core.wire.schema import Time

__all__ = ["WorkerTest", "WorkerTrial"]


@attrs.frozen(kw_only=True)
class WorkerTrial:
    """One step of a test; ``seconds`` is from when the worker got it to its last word.

    ``picture`` is where the image is that was made, ``log`` what the worker has logged.
    """

    name: str
    task_type: str
    status: TrialStatus
    message: str
    log: str
    seconds: float | None = None
    version: str | None = None
    picture: str | None = None


@attrs.frozen(kw_only=True)
class WorkerTest:
    """The test of a worker, and what it waits for if it does."""

    id: str
    worker_id: str
    worker_name: str
    status: TrialStatus
    asked_at: Time
    trials: list[WorkerTrial]
    asked_by: str | None = None
    ended_at: Time | None = None
    waits_for: str | None = None
