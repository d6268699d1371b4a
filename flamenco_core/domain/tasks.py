"""What a message about a task may change."""

from __future__ import annotations

from enum import StrEnum

import attrs

from flamenco_core.domain.statuses import DONE, TaskStatus

__all__ = ["RESULTS", "Answer", "Outcome", "Standing", "answer_to", "returned_to"]


RESULTS = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED})
"""What a run can deliver, even after it was given up."""


class Outcome(StrEnum):
    """How a run of a task ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    RETURNED = "returned"
    """The worker gave it back: signed off, went to sleep."""
    LOST = "lost"
    """The worker was not heard of any more."""


class Answer(StrEnum):
    """What to do with a worker's message."""

    APPLY = "apply"
    REPEATED = "repeated"
    STALE = "stale"


@attrs.frozen(kw_only=True)
class Standing:
    """Where a task and the run that a message speaks for stand.

    ``seq`` is the number of the last message applied in this run. ``outcome`` is how the
    run ended, if it did.
    """

    status: TaskStatus
    epoch: int
    seq: int
    is_its_own: bool
    outcome: Outcome | None = None


def answer_to(
    standing: Standing, *, epoch: int | None, seq: int | None, status: TaskStatus | None
) -> Answer:
    """Decide about a message that names an epoch, a number in its run and a new status.

    A run that was lost or given back, with nobody else on the task since, may still
    deliver its result: hours of rendering are not thrown away. It may deliver nothing
    else: what it says of its progress is no news of a task that is in the queue.
    """
    if not standing.is_its_own or (epoch is not None and epoch != standing.epoch):
        return Answer.STALE
    if seq is not None and seq <= standing.seq:
        return Answer.REPEATED
    if standing.status in DONE or standing.outcome is Outcome.FAILED:
        same = status is None or status is standing.status or standing.outcome == status.value
        return Answer.REPEATED if same else Answer.STALE
    if standing.outcome is not None and status not in RESULTS:
        return Answer.REPEATED
    return Answer.APPLY


def returned_to(job_is_held: bool) -> TaskStatus:
    """Return the status of a task that its worker does not finish."""
    return TaskStatus.PAUSED if job_is_held else TaskStatus.QUEUED
