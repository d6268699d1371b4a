"""What a job's status is: a function of its tasks and of what people asked for.

The Manager evaluates it in the transaction that changed a task or a wish, and again for
every job when it starts. So no message can leave a job in a status that its tasks do
not bear out, and a wish of a person always wins over a message of a worker.
"""

from __future__ import annotations

import attrs

from flamenco_core.domain.statuses import JobStatus, TaskStatus, Wanted

__all__ = [
    "REQUESTS",
    "FailureRule",
    "Tally",
    "job_status",
    "requests_from",
    "requeued_from",
]


@attrs.frozen(kw_only=True)
class Tally:
    """How many tasks of a job are in which state.

    ``active`` counts tasks at work; any number above 0 will do where only that matters.
    ``can_start`` says whether a task could be given to some worker now: it is queued or
    soft-failed, and its parents are completed.
    """

    total: int = 0
    completed: int = 0
    failed: int = 0
    canceled: int = 0
    paused: int = 0
    active: int = 0
    can_start: bool = True

    @property
    def open(self) -> int:
        """Tasks that are queued, soft-failed or active."""
        return self.total - self.completed - self.failed - self.canceled - self.paused

    @property
    def plain(self) -> bool:
        """Whether all tasks are open or completed: nothing went wrong or was held back."""
        return not (self.failed or self.canceled or self.paused)


@attrs.frozen
class FailureRule:
    """When failed tasks fail their job: at so much of all its tasks, and so many.

    A small job is not over because of one task; what can be done of it is done first.
    """

    percentage: int = 10
    at_least: int = 3

    def broken_by(self, tally: Tally) -> bool:
        """Whether so many tasks failed that the job has."""
        return tally.failed >= self.at_least and 100 * tally.failed >= self.percentage * tally.total


def job_status(wanted: Wanted, started: bool, tally: Tally, rule: FailureRule) -> JobStatus:
    """Return the status of a job; *started* is set by the first run since it was queued."""
    if tally.completed == tally.total:
        return JobStatus.COMPLETED
    if wanted is Wanted.CANCEL:
        return JobStatus.CANCELED
    if wanted is Wanted.FAIL or rule.broken_by(tally):
        return JobStatus.FAILED
    if wanted is Wanted.PAUSE:
        return JobStatus.PAUSE_REQUESTED if tally.active else JobStatus.PAUSED
    if not tally.plain and not tally.active and not (tally.open and tally.can_start):
        return _stalled(tally)
    return JobStatus.ACTIVE if started else JobStatus.QUEUED


def _stalled(tally: Tally) -> JobStatus:
    # What is left waits for tasks that will never complete by themselves. A job that
    # stayed active now would do so for ever.
    if tally.paused:
        return JobStatus.PAUSED
    return JobStatus.FAILED if tally.failed else JobStatus.CANCELED


REQUESTS: dict[JobStatus, Wanted] = {
    JobStatus.CANCEL_REQUESTED: Wanted.CANCEL,
    JobStatus.CANCELED: Wanted.CANCEL,
    JobStatus.PAUSE_REQUESTED: Wanted.PAUSE,
    JobStatus.PAUSED: Wanted.PAUSE,
    JobStatus.REQUEUEING: Wanted.RUN,
    JobStatus.QUEUED: Wanted.RUN,
    JobStatus.ACTIVE: Wanted.RUN,
}
"""What people may ask of a job, in the words of the wire. The rest is for the farm to say."""


def requests_from(status: JobStatus) -> tuple[JobStatus, ...]:
    """Return what people may ask of a job in *status*; what is completed can only run again."""
    return tuple(
        word
        for word, wanted in REQUESTS.items()
        if word is not status and (status is not JobStatus.COMPLETED or wanted is Wanted.RUN)
    )


def requeued_from(status: JobStatus) -> frozenset[TaskStatus]:
    """Return which tasks go back to the queue when a job in *status* is requeued."""
    again = {TaskStatus.CANCELED, TaskStatus.FAILED, TaskStatus.PAUSED, TaskStatus.SOFT_FAILED}
    return frozenset(again | ({TaskStatus.COMPLETED} if status is JobStatus.COMPLETED else set()))
