from __future__ import annotations

import pytest

from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.workers import (
    Request,
    after_sign_off,
    after_state_changed,
    gives_back,
    outcome_of,
    wake_up,
)

AWAKE, ASLEEP, OFFLINE = WorkerStatus.AWAKE, WorkerStatus.ASLEEP, WorkerStatus.OFFLINE
RESTART, ERROR, STARTING = WorkerStatus.RESTART, WorkerStatus.ERROR, WorkerStatus.STARTING


@pytest.mark.parametrize("is_lazy", [False, True])
@pytest.mark.parametrize("asked", list(WorkerStatus))
@pytest.mark.parametrize("now", list(WorkerStatus))
def test_a_request_stays_until_it_is_fulfilled(
    asked: WorkerStatus, now: WorkerStatus, is_lazy: bool
) -> None:
    request = Request(asked, is_lazy)
    assert after_state_changed(request, now) == (None if asked is now else request)
    assert after_state_changed(None, now) is None


@pytest.mark.parametrize(
    ("asked", "was", "left"),
    [
        (None, AWAKE, AWAKE),
        (None, ASLEEP, ASLEEP),
        (None, ERROR, None),
        (None, STARTING, None),
        (None, OFFLINE, None),
        (None, RESTART, None),
        (OFFLINE, AWAKE, AWAKE),
        (RESTART, ASLEEP, ASLEEP),
        (OFFLINE, ERROR, None),
        (ASLEEP, AWAKE, ASLEEP),
        (AWAKE, ERROR, AWAKE),
        (AWAKE, ASLEEP, AWAKE),
    ],
)
def test_a_worker_comes_back_as_it_left_or_as_asked(
    asked: WorkerStatus | None, was: WorkerStatus, left: WorkerStatus | None
) -> None:
    pending = Request(asked) if asked else None
    assert after_sign_off(pending, was) == (Request(left) if left else None)


def test_a_lazy_request_stays_lazy_over_a_sign_off() -> None:
    assert after_sign_off(Request(ASLEEP, is_lazy=True), AWAKE) == Request(ASLEEP, is_lazy=True)


@pytest.mark.parametrize("now", list(WorkerStatus))
def test_only_a_worker_that_is_awake_or_starts_keeps_what_it_holds(now: WorkerStatus) -> None:
    assert gives_back(now) is (now not in {AWAKE, STARTING})


@pytest.mark.parametrize("status", list(WorkerStatus))
def test_only_a_worker_that_was_given_up_wakes_up_by_asking(status: WorkerStatus) -> None:
    assert wake_up(status) is (status is ERROR)


@pytest.mark.parametrize(
    ("asked", "status", "new", "outcome"),
    [
        ("asleep", "asleep", None, "confirmed"),
        ("offline", "offline", "awake", "confirmed"),
        ("restart", "offline", None, "confirmed"),
        ("restart", "starting", None, "confirmed"),
        ("asleep", "awake", "offline", "replaced"),
        ("asleep", "awake", None, "withdrawn"),
        ("awake", "error", None, "withdrawn"),
    ],
)
def test_what_becomes_of_a_request(asked: str, status: str, new: str | None, outcome: str) -> None:
    pending = Request(WorkerStatus(asked))
    then = Request(WorkerStatus(new)) if new else None
    assert outcome_of(pending, WorkerStatus(status), then) == outcome
