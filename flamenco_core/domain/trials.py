"""What becomes of a worker's test and of the trials that it consists of."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

__all__ = ["MOST_RUNS", "TrialStatus", "test_status"]

MOST_RUNS = 5
"""A worker that begins a trial more often crashes in it, or is never left in peace."""


class TrialStatus(StrEnum):
    """How far a trial, or the whole test, has come."""

    QUEUED = "queued"
    ACTIVE = "active"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """The worker does not run tasks of this type."""
    CANCELED = "canceled"


_OPEN = {TrialStatus.QUEUED, TrialStatus.ACTIVE}


def test_status(trials: Iterable[TrialStatus]) -> TrialStatus:
    """Return the status of a test, given those of its trials."""
    found = set(trials) - {TrialStatus.SKIPPED}
    if found & _OPEN:
        # Between two trials it is under way as well.
        return TrialStatus.QUEUED if found == {TrialStatus.QUEUED} else TrialStatus.ACTIVE
    for status in (TrialStatus.FAILED, TrialStatus.CANCELED, TrialStatus.PASSED):
        if status in found:
            return status
    return TrialStatus.SKIPPED
