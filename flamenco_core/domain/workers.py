"""What a worker's status changes mean."""

from __future__ import annotations

from enum import StrEnum

import attrs

from flamenco_core.domain.statuses import WorkerStatus

__all__ = [
    "AWAY",
    "Request",
    "RequestOutcome",
    "after_sign_off",
    "after_state_changed",
    "gives_back",
    "outcome_of",
    "requests_to",
    "wake_up",
]


AWAY = frozenset({WorkerStatus.ERROR, WorkerStatus.OFFLINE})
"""Workers that are not there."""


@attrs.frozen
class Request:
    """What somebody wants a worker to be; lazy waits for its task to end."""

    status: WorkerStatus
    is_lazy: bool = False


class RequestOutcome(StrEnum):
    """What became of a request."""

    CONFIRMED = "confirmed"
    REPLACED = "replaced"
    """Something else was asked before it happened."""
    WITHDRAWN = "withdrawn"


_HAPPENS_AS = {
    WorkerStatus.RESTART: {WorkerStatus.OFFLINE, WorkerStatus.STARTING},
}


def outcome_of(pending: Request, status: WorkerStatus, new: Request | None) -> RequestOutcome:
    """Return what became of a request, when a worker is *status* and *new* is asked of it."""
    if status in _HAPPENS_AS.get(pending.status, {pending.status}):
        return RequestOutcome.CONFIRMED
    return RequestOutcome.WITHDRAWN if new is None else RequestOutcome.REPLACED


def after_state_changed(pending: Request | None, status: WorkerStatus) -> Request | None:
    """Return what is still asked of a worker that says it is *status* now."""
    return pending if pending and pending.status is not status else None


def after_sign_off(pending: Request | None, was: WorkerStatus) -> Request | None:
    """Return what a worker shall be at its next sign-on.

    A wish to go offline or restart is fulfilled. Without another wish, it comes back as
    it left.
    """
    if pending and pending.status not in {WorkerStatus.OFFLINE, WorkerStatus.RESTART}:
        return pending
    return Request(was) if was in {WorkerStatus.AWAKE, WorkerStatus.ASLEEP} else None


def gives_back(now: WorkerStatus) -> bool:
    """Say whether a worker that is *now* this drops the tasks it holds.

    One that has just started has none to drop: those of its former process went back to
    the queue when it signed on.
    """
    return now not in {WorkerStatus.AWAKE, WorkerStatus.STARTING}


def requests_to(*, can_restart: bool) -> tuple[WorkerStatus, ...]:
    """Return what people may ask of a worker; the rest is for it and the farm to say."""
    always = (WorkerStatus.AWAKE, WorkerStatus.ASLEEP, WorkerStatus.OFFLINE)
    return (*always, WorkerStatus.RESTART) if can_restart else always


def wake_up(status: WorkerStatus) -> bool:
    """Say whether a worker that asks for work in this status is awake after all.

    A worker that was given up and calls again has recovered; nobody has to help.
    """
    return status is WorkerStatus.ERROR
