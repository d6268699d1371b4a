from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.domain.failures import FailureFacts, FailureLimits, Verdict, verdict_on
from flamenco_core.domain.statuses import TaskStatus

LIMITS = FailureLimits(workers_per_task=3, tasks_per_worker=3)
SOFT, HARD = TaskStatus.SOFT_FAILED, TaskStatus.FAILED


@pytest.mark.parametrize(
    ("workers_failed", "tasks_failed", "others", "verdict"),
    [
        # Others may try.
        (1, 1, 2, Verdict(task=SOFT)),
        (1, 1, 1, Verdict(task=SOFT)),
        (2, 2, 1, Verdict(task=SOFT)),
        # Enough workers tried.
        (3, 1, 1, Verdict(task=HARD)),
        (4, 1, 1, Verdict(task=HARD)),
        # This worker fails all it gets.
        (1, 3, 1, Verdict(task=SOFT, block_worker=True)),
        (1, 4, 1, Verdict(task=SOFT, block_worker=True)),
        (3, 3, 1, Verdict(task=HARD, block_worker=True)),
        # Nobody is left.
        (1, 1, 0, Verdict(task=HARD, fail_job=True)),
        (2, 1, 0, Verdict(task=HARD, fail_job=True)),
        (3, 3, 0, Verdict(task=HARD, fail_job=True, block_worker=True)),
    ],
)
def test_what_follows_from_a_failure(
    workers_failed: int, tasks_failed: int, others: int, verdict: Verdict
) -> None:
    facts = FailureFacts(
        workers_failed=workers_failed, tasks_failed_by_worker=tasks_failed, others=others
    )
    assert verdict_on(facts, LIMITS) == verdict


@pytest.mark.parametrize("limit", [0, 1])
def test_a_limit_of_one_or_none_is_reached_at_once(limit: int) -> None:
    facts = FailureFacts(workers_failed=1, tasks_failed_by_worker=1, others=5)
    limits = FailureLimits(workers_per_task=limit, tasks_per_worker=limit)
    assert verdict_on(facts, limits) == Verdict(task=HARD, block_worker=True)


def test_with_two_workers_the_other_one_tries() -> None:
    facts = FailureFacts(workers_failed=1, tasks_failed_by_worker=1, others=1)
    assert verdict_on(facts, LIMITS) == Verdict(task=SOFT)


counts = st.integers(1, 6)


@given(counts, counts, st.integers(0, 3), counts, counts)
def test_a_task_is_tried_again_only_if_somebody_can(
    workers_failed: int, tasks_failed: int, others: int, per_task: int, per_worker: int
) -> None:
    facts = FailureFacts(
        workers_failed=workers_failed, tasks_failed_by_worker=tasks_failed, others=others
    )
    verdict = verdict_on(
        facts, FailureLimits(workers_per_task=per_task, tasks_per_worker=per_worker)
    )
    assert verdict.task in {SOFT, HARD}
    assert verdict.task is HARD or others > 0
    assert verdict.fail_job == (others == 0)
    assert verdict.block_worker == (tasks_failed >= per_worker)
