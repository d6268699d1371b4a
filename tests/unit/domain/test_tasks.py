from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.domain.statuses import DONE, OPEN, WAITING, TaskStatus
from flamenco_core.domain.tasks import Answer, Outcome, Standing, answer_to, returned_to

ACTIVE, COMPLETED, FAILED = TaskStatus.ACTIVE, TaskStatus.COMPLETED, TaskStatus.FAILED
CANCELED, QUEUED, PAUSED = TaskStatus.CANCELED, TaskStatus.QUEUED, TaskStatus.PAUSED
SOFT_FAILED = TaskStatus.SOFT_FAILED


def standing(
    status: TaskStatus = ACTIVE, outcome: Outcome | None = None, *, is_its_own: bool = True
) -> Standing:
    return Standing(status=status, epoch=3, seq=7, is_its_own=is_its_own, outcome=outcome)


def answer(
    where: Standing, status: TaskStatus | None, *, epoch: int | None = 3, seq: int | None = 8
) -> str:
    return answer_to(where, epoch=epoch, seq=seq, status=status).value


@pytest.mark.parametrize("status", [None, *TaskStatus])
def test_a_run_that_goes_on_may_say_anything(status: TaskStatus | None) -> None:
    assert answer(standing(), status) == "apply"


@pytest.mark.parametrize("status", [None, *TaskStatus])
@pytest.mark.parametrize(
    ("where", "epoch"),
    [
        (standing(is_its_own=False), 3),
        (standing(is_its_own=False), None),
        (standing(), 2),
        (standing(), 4),
        (standing(QUEUED, Outcome.LOST), 2),
    ],
)
def test_a_message_of_another_run_is_stale(
    where: Standing, epoch: int | None, status: TaskStatus | None
) -> None:
    assert answer(where, status, epoch=epoch) == "stale"
    # Even if its number was used before in the present run.
    assert answer(where, status, epoch=epoch, seq=1) == "stale"


@pytest.mark.parametrize("seq", [7, 6, 0, -1])
@pytest.mark.parametrize("status", [None, *TaskStatus])
def test_a_number_that_was_applied_is_a_repetition(seq: int, status: TaskStatus | None) -> None:
    assert answer(standing(), status, seq=seq) == "repeated"


def test_a_worker_that_numbers_nothing_is_believed() -> None:
    assert answer(standing(), COMPLETED, seq=None, epoch=None) == "apply"


@pytest.mark.parametrize(
    ("where", "status", "expected"),
    [
        # The end was told already.
        (standing(COMPLETED, Outcome.COMPLETED), COMPLETED, "repeated"),
        (standing(COMPLETED, Outcome.COMPLETED), None, "repeated"),
        (standing(COMPLETED, Outcome.COMPLETED), FAILED, "stale"),
        (standing(COMPLETED, Outcome.COMPLETED), ACTIVE, "stale"),
        (standing(COMPLETED, Outcome.COMPLETED), CANCELED, "stale"),
        (standing(FAILED, Outcome.FAILED), FAILED, "repeated"),
        (standing(FAILED, Outcome.FAILED), COMPLETED, "stale"),
        (standing(CANCELED, Outcome.CANCELED), CANCELED, "repeated"),
        (standing(CANCELED, Outcome.CANCELED), COMPLETED, "stale"),
        # Failed for this worker, another one shall try.
        (standing(SOFT_FAILED, Outcome.FAILED), FAILED, "repeated"),
        (standing(SOFT_FAILED, Outcome.FAILED), SOFT_FAILED, "repeated"),
        (standing(SOFT_FAILED, Outcome.FAILED), None, "repeated"),
        (standing(SOFT_FAILED, Outcome.FAILED), COMPLETED, "stale"),
        (standing(PAUSED, Outcome.FAILED), FAILED, "repeated"),
        (standing(PAUSED, Outcome.FAILED), COMPLETED, "stale"),
        (standing(QUEUED, Outcome.FAILED), COMPLETED, "stale"),
        # Given up for lost, or given back: its result is welcome, and nothing else.
        (standing(QUEUED, Outcome.LOST), COMPLETED, "apply"),
        (standing(QUEUED, Outcome.LOST), FAILED, "apply"),
        (standing(QUEUED, Outcome.LOST), None, "repeated"),
        (standing(QUEUED, Outcome.LOST), ACTIVE, "repeated"),
        (standing(QUEUED, Outcome.LOST), QUEUED, "repeated"),
        (standing(QUEUED, Outcome.LOST), CANCELED, "repeated"),
        (standing(PAUSED, Outcome.LOST), COMPLETED, "apply"),
        (standing(PAUSED, Outcome.RETURNED), COMPLETED, "apply"),
        (standing(QUEUED, Outcome.RETURNED), COMPLETED, "apply"),
        (standing(QUEUED, Outcome.RETURNED), PAUSED, "repeated"),
        # Lost too often: given up for good.
        (standing(FAILED, Outcome.LOST), COMPLETED, "stale"),
        (standing(FAILED, Outcome.LOST), FAILED, "repeated"),
    ],
)
def test_what_a_run_may_say_after_its_end(
    where: Standing, status: TaskStatus | None, expected: str
) -> None:
    assert answer(where, status) == expected


standings = st.builds(
    Standing,
    status=st.sampled_from(TaskStatus),
    epoch=st.integers(0, 5),
    seq=st.integers(0, 5),
    is_its_own=st.booleans(),
    outcome=st.none() | st.sampled_from(Outcome),
)
numbers = st.none() | st.integers(0, 6)
statuses = st.none() | st.sampled_from(TaskStatus)


@given(standings, numbers, numbers, statuses)
def test_nothing_changes_what_is_done(
    where: Standing, epoch: int | None, seq: int | None, status: TaskStatus | None
) -> None:
    answered = answer_to(where, epoch=epoch, seq=seq, status=status)
    if where.status in DONE or not where.is_its_own:
        assert answered is not Answer.APPLY


@given(standings, numbers, numbers, statuses)
def test_what_is_applied_speaks_for_the_present_run(
    where: Standing, epoch: int | None, seq: int | None, status: TaskStatus | None
) -> None:
    if answer_to(where, epoch=epoch, seq=seq, status=status) is Answer.APPLY:
        assert epoch in {None, where.epoch}
        assert seq is None or seq > where.seq


@pytest.mark.parametrize(("held", "status"), [(True, PAUSED), (False, QUEUED)])
def test_a_task_goes_back_to_where_its_job_is(held: bool, status: TaskStatus) -> None:
    assert returned_to(held) is status


def test_every_status_is_open_paused_or_done() -> None:
    assert OPEN | DONE | {PAUSED} == set(TaskStatus)
    assert OPEN - {ACTIVE} == WAITING
    assert all(not a & b for a, b in itertools.combinations([OPEN, DONE, {PAUSED}], 2))
