from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.domain.jobs import (
    REQUESTS,
    FailureRule,
    Tally,
    job_status,
    requests_from,
    requeued_from,
)
from flamenco_core.domain.statuses import JobStatus, TaskStatus, Wanted

RULE = FailureRule(10, at_least=1)


def tally(total: int = 20, **counts: int | bool) -> Tally:
    return Tally(total=total, **counts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({"completed": 20}, "completed"),
        ({"total": 0}, "completed"),
        # Nothing has happened yet.
        ({}, "started"),
        ({"completed": 19}, "started"),
        # Failures below the limit.
        ({"failed": 1}, "started"),
        ({"failed": 1, "active": 1, "can_start": False}, "started"),
        # At the limit, and above.
        ({"failed": 2}, "failed"),
        ({"failed": 20}, "failed"),
        ({"total": 11, "failed": 1}, "started"),
        ({"total": 10, "failed": 1}, "failed"),
        ({"total": 1, "failed": 1}, "failed"),
        # What is left waits for what will not come: the job has stalled.
        ({"failed": 1, "completed": 18, "can_start": False}, "failed"),
        ({"failed": 1, "completed": 19}, "failed"),
        ({"canceled": 1, "completed": 18, "can_start": False}, "canceled"),
        ({"canceled": 1, "completed": 19}, "canceled"),
        ({"canceled": 20}, "canceled"),
        ({"paused": 1, "completed": 19}, "paused"),
        ({"paused": 1, "canceled": 1, "failed": 1, "completed": 17}, "paused"),
        ({"failed": 1, "canceled": 19}, "failed"),
        # Something of it goes on all the same.
        ({"canceled": 1, "completed": 18, "active": 1, "can_start": False}, "started"),
        ({"paused": 1, "completed": 18}, "started"),
    ],
)
@pytest.mark.parametrize("started", [False, True])
def test_a_job_that_shall_run_is_what_its_tasks_are(
    counts: dict[str, int], status: str, started: bool
) -> None:
    expected = status if status != "started" else ("active" if started else "queued")
    assert job_status(Wanted.RUN, started, tally(**counts), RULE) == expected


@pytest.mark.parametrize(
    ("wanted", "counts", "status"),
    [
        (Wanted.CANCEL, {}, "canceled"),
        (Wanted.CANCEL, {"active": 1}, "canceled"),
        (Wanted.CANCEL, {"failed": 20}, "canceled"),
        (Wanted.CANCEL, {"completed": 20}, "completed"),
        (Wanted.PAUSE, {}, "paused"),
        (Wanted.PAUSE, {"active": 1}, "pause-requested"),
        (Wanted.PAUSE, {"paused": 19, "active": 1}, "pause-requested"),
        (Wanted.PAUSE, {"paused": 20}, "paused"),
        (Wanted.PAUSE, {"completed": 20}, "completed"),
        (Wanted.PAUSE, {"failed": 2}, "failed"),
        (Wanted.FAIL, {}, "failed"),
        (Wanted.FAIL, {"active": 3}, "failed"),
        (Wanted.FAIL, {"completed": 20}, "completed"),
    ],
)
@pytest.mark.parametrize("started", [False, True])
def test_a_wish_comes_before_what_the_tasks_say(
    wanted: Wanted, counts: dict[str, int], status: str, started: bool
) -> None:
    assert job_status(wanted, started, tally(**counts), RULE) == status


@pytest.mark.parametrize(
    ("percentage", "failed", "total", "broken"),
    [
        (10, 0, 10, False),
        (10, 1, 10, True),
        (10, 1, 11, False),
        (10, 1, 19, False),
        (10, 2, 20, True),
        (10, 0, 0, False),
        (0, 0, 5, False),
        (0, 1, 100_000, True),
        (100, 4, 5, False),
        (100, 5, 5, True),
        (101, 5, 5, False),
    ],
)
def test_failed_tasks_fail_their_job_at_a_percentage(
    percentage: int, failed: int, total: int, broken: bool
) -> None:
    rule = FailureRule(percentage, at_least=1)
    assert rule.broken_by(tally(total, failed=failed)) is broken


@pytest.mark.parametrize(("failed", "broken"), [(1, False), (2, False), (3, True)])
def test_one_failed_task_does_not_end_a_small_job(failed: int, broken: bool) -> None:
    assert FailureRule().broken_by(tally(5, failed=failed)) is broken


def test_a_job_of_one_failed_task_has_failed() -> None:
    assert job_status(Wanted.RUN, True, tally(1, failed=1), FailureRule()) == "failed"


def test_a_tally_knows_what_is_open() -> None:
    some = tally(20, completed=5, failed=1, canceled=2, paused=3)
    assert some.open == 9
    assert not some.plain
    assert tally(20, completed=5).plain


# -- properties ------------------------------------------------------------------------------


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    names = ("completed", "failed", "canceled", "paused", "active", "waiting")
    counts = {name: draw(st.integers(0, 4)) for name in names}
    waiting = counts.pop("waiting")
    total = sum(counts.values()) + waiting
    return Tally(total=total, can_start=waiting > 0 and draw(st.booleans()), **counts)


rules = st.integers(0, 110).map(FailureRule)


@given(st.sampled_from(Wanted), st.booleans(), tallies(), rules)
def test_every_combination_has_a_status(
    wanted: Wanted, started: bool, some: Tally, rule: FailureRule
) -> None:
    status = job_status(wanted, started, some, rule)
    assert status not in {
        JobStatus.CANCEL_REQUESTED,
        JobStatus.REQUEUEING,
        JobStatus.UNDER_CONSTRUCTION,
    }


@given(st.sampled_from(Wanted), st.booleans(), tallies(), rules)
def test_a_job_that_goes_on_has_something_to_go_on_with(
    wanted: Wanted, started: bool, some: Tally, rule: FailureRule
) -> None:
    # No status without a way out: either a worker can do something, or a person must say
    # what to do, or it is the end. Tasks that wait for those at work, too.
    waits_for_parents = some.plain
    if job_status(wanted, started, some, rule) in {JobStatus.ACTIVE, JobStatus.QUEUED}:
        assert some.open > 0
        assert some.active or some.can_start or waits_for_parents
        assert wanted is Wanted.RUN


@given(st.sampled_from([Wanted.PAUSE, Wanted.CANCEL, Wanted.FAIL]), st.booleans(), tallies(), rules)
def test_no_message_brings_back_a_job_that_people_stopped(
    wanted: Wanted, started: bool, some: Tally, rule: FailureRule
) -> None:
    # Whatever the tasks become by messages of workers, it is never active or queued.
    assert job_status(wanted, started, some, rule) not in {JobStatus.ACTIVE, JobStatus.QUEUED}


@given(st.booleans(), tallies(), rules)
def test_a_canceled_job_is_canceled_or_was_done(
    started: bool, some: Tally, rule: FailureRule
) -> None:
    done = some.completed == some.total
    expected = JobStatus.COMPLETED if done else JobStatus.CANCELED
    assert job_status(Wanted.CANCEL, started, some, rule) is expected


@given(st.booleans(), tallies(), rules)
def test_a_job_is_completed_when_all_tasks_are_and_only_then(
    started: bool, some: Tally, rule: FailureRule
) -> None:
    for wanted in Wanted:
        is_completed = job_status(wanted, started, some, rule) is JobStatus.COMPLETED
        assert is_completed == (some.completed == some.total)


# -- requests --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("cancel-requested", Wanted.CANCEL),
        ("canceled", Wanted.CANCEL),
        ("pause-requested", Wanted.PAUSE),
        ("paused", Wanted.PAUSE),
        ("requeueing", Wanted.RUN),
        ("queued", Wanted.RUN),
        ("active", Wanted.RUN),
        ("completed", None),
        ("failed", None),
        ("under-construction", None),
    ],
)
def test_what_people_may_ask_of_a_job(asked: str, wanted: Wanted | None) -> None:
    assert REQUESTS.get(JobStatus(asked)) is wanted


def test_every_word_is_one_to_ask_for_or_not() -> None:
    assert set(REQUESTS) | {"completed", "failed", "under-construction"} == set(JobStatus)


@pytest.mark.parametrize("status", list(JobStatus))
def test_a_requeue_takes_what_did_not_end_well(status: JobStatus) -> None:
    again = requeued_from(status)
    assert {"canceled", "failed", "paused", "soft-failed"} <= again
    assert (TaskStatus.COMPLETED in again) == (status is JobStatus.COMPLETED)
    assert TaskStatus.ACTIVE not in again
    assert TaskStatus.QUEUED not in again


def test_after_a_requeue_no_status_is_left_without_a_way_on() -> None:
    # Whatever a job with ended tasks was, asking for it again makes it run.
    for status, started in itertools.product(JobStatus, (False, True)):
        left = {TaskStatus.COMPLETED} - requeued_from(status)
        some = tally(4, completed=2 if left else 0)
        assert job_status(Wanted.RUN, started, some, RULE) in {"active", "queued"}


@pytest.mark.parametrize("status", list(JobStatus))
def test_what_people_may_ask_of_a_job_depends_on_its_status(status: JobStatus) -> None:
    possible = requests_from(status)
    assert status not in possible
    assert set(possible) <= set(REQUESTS)
    assert JobStatus.REQUEUEING in possible or status is JobStatus.REQUEUEING
    assert (JobStatus.CANCEL_REQUESTED in possible) is (
        status not in {JobStatus.COMPLETED, JobStatus.CANCEL_REQUESTED}
    )
