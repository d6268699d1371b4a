"""What a crash can leave in the middle of something longer, named after what was found."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from invariant_chances import uuid
from invariant_checks import Farm

from flamenco_core.manager.usecases import delete, recover, submit
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.offers.job_type import AuthoredJob, AuthoredTask, Submission


def test_a_job_that_is_being_deleted_is_not_repaired_at_start(
    store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    job = uuid(2, 0)
    tasks = tuple(AuthoredTask(name=f"frame {n}", type="misc") for n in range(3))
    submission = Submission(job_id=job, name="job", type="t", priority=50, created=1)
    authored = AuthoredJob(name="job", priority=50, settings={}, metadata={}, tasks=tasks)
    store.write(submit.submit_job, submission, authored, Rules())
    store.write(delete.request_deletion, job)
    # The crash comes between two parts of the tasks.
    store.write(delete.delete_some_tasks, job)
    half = store.read(Farm.read)
    assert (len(half.jobs), len(half.tasks)) == (1, 0)

    with caplog.at_level(logging.WARNING):
        assert store.write(recover.recover_jobs, Rules()) == []

    assert caplog.records == []
    assert store.read(Farm.read).jobs == half.jobs
