from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("command", "status"),
    [("cancel", "cancel-requested"), ("pause", "pause-requested"), ("requeue", "requeueing")],
)
def test_a_job_is_told_what_to_do(flamenco, farm, facts, command, status):
    farm.add_job()
    outcome = flamenco(command, "11111111", "--reason", "wrong camera")
    assert outcome.code == 0
    expected = {"status": status, "reason": "wrong camera"}
    assert farm.told == [(f"/jobs/{facts.JOB}/setstatus", expected)]
    assert "shot 010" in outcome.out


@pytest.mark.parametrize(("command", "status"), [("cancel", "canceled"), ("requeue", "queued")])
def test_a_task_is_told_what_to_do(flamenco, farm, facts, command, status):
    farm.add_job(facts.task())
    assert flamenco(command, facts.TASK).code == 0
    path, body = farm.told[0]
    assert path == f"/tasks/{facts.TASK}/setstatus"
    assert body["status"] == status
    assert "command line" in body["reason"]


def test_a_task_cannot_be_paused(flamenco, farm, facts):
    farm.add_job(facts.task())
    assert flamenco("pause", facts.TASK).code == 1
    assert farm.told == []


def test_several_are_told_at_once_and_one_typing_error_changes_nothing(flamenco, farm, facts):
    farm.add_job()
    farm.add_job(id=facts.OTHER_JOB)
    assert flamenco("cancel", "11111111", "99999999").code == 1
    assert farm.told == []
    assert flamenco("cancel", "11111111", "22222222").code == 0
    assert len(farm.told) == 2
