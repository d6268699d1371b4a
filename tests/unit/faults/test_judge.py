"""The judge finds each kind of what can be wrong, and nothing where all is right."""

from __future__ import annotations

from typing import Any

import pytest

from faults.history import Op
from faults.judge import Attempt, Found, Job, Task, Verdict, judge

TTL = 4.0


def op(op: str, key: str, start: float, end: float | None = None, **facts: Any) -> Op:
    kind = facts.pop("type", "ok")
    end = start if end is None else end
    return Op(op=op, key=key, start=start, end=end, type=kind, facts=facts)


def claim(epoch: int, at: float, worker: str = "alfa", task: str = "t") -> Op:
    return op("claim", worker, at, task=task, job="j", epoch=epoch)


def said(status: str, epoch: int, at: float, seq: int = 1, **more: Any) -> Op:
    facts = {"task": "t", "job": "j", "epoch": epoch, "seq": seq, "status": status, **more}
    return op("update", "alfa", at, **facts)


def render(epoch: int, start: float, end: float, worker: str = "alfa") -> Op:
    return op("render", "t", start, end, task="t", epoch=epoch, worker=worker)


SUBMITTED = op("submit", "j", 0, tasks=1)


def left(
    *, job: str = "completed", task: str = "completed", tasks: int = 1, done: tuple[int, ...] = (1,)
) -> Found:
    return Found(
        jobs=[Job(id="j", status=job)],
        tasks=[
            Task(id="t" if n == 0 else f"t{n}", job="j", status=task, epoch=1) for n in range(tasks)
        ],
        attempts=[Attempt(task="t", epoch=epoch, outcome="completed") for epoch in done],
    )


def kinds(verdict: Verdict) -> set[str]:
    return {line.partition(":")[0] for line in verdict.wrong}


def verdict(*ops: Op, found: Found | None = None, **how: Any) -> Verdict:
    return judge([SUBMITTED, *ops], found or left(), ttl=TTL, **how)


RUN = (claim(1, 1), render(1, 1, 3), said("active", 1, 1), said("completed", 1, 3, 2))


def test_a_farm_where_all_went_well_is_right() -> None:
    found = verdict(*RUN)
    assert found.wrong == []
    assert (found.results, found.wasted, found.doubled) == (1, 0, 0)


def test_an_accepted_job_that_is_not_there_is_lost() -> None:
    assert kinds(verdict(found=Found())) == {"lost"}


@pytest.mark.parametrize("status", ["active", "queued", "paused", "cancel-requested"])
def test_a_job_that_does_not_come_to_its_end_is_lost(status: str) -> None:
    assert "lost" in kinds(verdict(*RUN, found=left(job=status)))
    assert "lost" not in kinds(verdict(*RUN, found=left(job=status), drained=False))


def test_a_paused_job_may_stay_paused() -> None:
    paused = op("pause", "j", 4)
    assert kinds(verdict(*RUN, paused, found=left(job="paused"))) == set()


def test_a_completed_job_with_an_open_task_is_lost() -> None:
    assert kinds(verdict(found=left(task="queued", done=()))) == {"lost"}


def test_a_submission_that_was_not_answered_may_be_lost() -> None:
    unknown = op("submit", "j", 0, float("inf"), type="info", tasks=1)
    assert kinds(judge([unknown], Found(), ttl=TTL)) == set()


def test_a_deleted_job_is_not_lost_but_must_not_be_there() -> None:
    deleted = op("delete", "j", 5)
    assert kinds(verdict(*RUN, deleted, found=Found())) == set()
    assert kinds(verdict(*RUN, deleted)) == {"lost"}


def test_a_job_that_nobody_submitted_is_unexpected() -> None:
    assert kinds(judge([*RUN], left(), ttl=TTL)) == {"unexpected"}
    refused = op("submit", "j", 0, type="fail")
    assert "unexpected" in kinds(judge([refused, *RUN], left(), ttl=TTL))


def test_a_job_that_is_there_twice_is_unexpected() -> None:
    twice = Found(jobs=[Job(id="j", status="completed")] * 2, tasks=left().tasks)
    assert "unexpected" in kinds(verdict(found=twice))


@pytest.mark.parametrize("tasks", [0, 2])
def test_a_job_with_other_tasks_than_submitted_is_halved(tasks: int) -> None:
    assert "halved" in kinds(verdict(found=left(tasks=tasks, done=())))


def test_two_accepted_results_are_twice() -> None:
    more = (claim(2, 4), said("completed", 2, 5, 1))
    assert "twice" in kinds(verdict(*RUN, *more, found=left(done=(1, 2))))


def test_a_repeated_result_is_once() -> None:
    again = said("completed", 1, 9, 2)
    assert kinds(verdict(*RUN, again)) == set()


def test_two_results_with_a_requeue_between_are_right() -> None:
    more = (op("requeue", "t", 4), claim(2, 5), said("completed", 2, 6, 1))
    assert kinds(verdict(*RUN, *more, found=left(done=(1, 2)))) == set()
    of_job = (op("requeue", "j", 4), claim(2, 5), said("completed", 2, 6, 1))
    assert kinds(verdict(*RUN, *of_job, found=left(done=(1, 2)))) == set()


def test_one_requeue_does_not_excuse_three_results() -> None:
    more = (op("requeue", "t", 4), claim(2, 5), said("completed", 2, 6, 1))
    third = (claim(3, 7), said("completed", 3, 8, 1))
    assert "twice" in kinds(verdict(*RUN, *more, *third, found=left(done=(1, 2, 3))))


def test_an_accepted_result_that_is_not_stored_is_forgotten() -> None:
    assert kinds(verdict(*RUN, found=left(done=()))) == {"forgotten"}


def test_two_runs_at_once_that_both_believe_are_an_overlap() -> None:
    other = (claim(2, 2, "beta"), render(2, 2, 5, "beta"))
    found = verdict(*RUN[:3], *other, found=left(job="canceled", task="canceled", done=()))
    assert kinds(found) == {"overlap"}


def test_a_run_that_was_silent_for_too_long_is_doubled_not_an_overlap() -> None:
    silent = (claim(1, 1), render(1, 1, 20), said("active", 1, 1))
    other = (claim(2, 7, "beta"), render(2, 7, 9, "beta"))
    found = verdict(*silent, *other, found=left(job="canceled", task="canceled", done=()))
    assert found.wrong == []
    assert found.doubled == 1


def test_a_run_that_people_took_away_is_doubled_not_an_overlap() -> None:
    taken = op("requeue", "t", 1.5)
    other = (claim(2, 2, "beta"), render(2, 2, 5, "beta"))
    ended = left(job="canceled", task="canceled", done=())
    assert kinds(verdict(*RUN[:3], taken, *other, found=ended)) == set()


def test_a_message_after_a_later_run_was_given_out_is_stale() -> None:
    late = (claim(2, 4, "beta"), said("active", 1, 5, 3))
    assert kinds(verdict(*RUN, *late)) == {"stale"}


def test_a_message_that_was_on_its_way_is_not_stale() -> None:
    under_way = Op(
        op="update",
        key="alfa",
        start=3.5,
        end=5,
        type="ok",
        facts={"task": "t", "job": "j", "epoch": 1, "seq": 3, "status": "active"},
    )
    assert kinds(verdict(*RUN, claim(2, 4, "beta"), under_way)) == set()


def test_a_message_after_a_cancel_is_stale() -> None:
    canceled = op("cancel", "j", 2)
    late = said("active", 1, 3, 2)
    ended = left(job="canceled", task="canceled", done=())
    assert "stale" in kinds(verdict(claim(1, 1), canceled, late, found=ended))


def test_a_refused_message_is_nothing_but_wasted() -> None:
    late = said("completed", 1, 5, 3, type="fail")
    refused = op("refused", "t", 5)
    found = verdict(*RUN, claim(2, 4, "beta"), late, refused)
    assert (found.wrong, found.wasted) == ([], 1)


def test_what_was_completed_and_is_seen_as_something_else_is_rolled_back() -> None:
    assert kinds(verdict(*RUN, op("look", "t", 5, status="queued"))) == {"rollback"}
    requeued = (op("requeue", "t", 4), op("look", "t", 5, status="queued"))
    assert kinds(verdict(*RUN, *requeued)) == set()


def test_a_job_that_was_at_its_end_and_is_not_any_more_is_rolled_back() -> None:
    looks = (op("look", "j", 5, status="completed"), op("look", "j", 6, status="active"))
    assert kinds(verdict(*RUN, *looks)) == {"rollback"}
    explained = (looks[0], op("requeue", "t", 5.5), looks[1])
    assert kinds(verdict(*RUN, *explained)) == set()


def test_an_internal_error_is_wrong_whatever_was_asked() -> None:
    assert kinds(verdict(*RUN, op("look", "j", 5, type="info", code=500))) == {"internal"}
