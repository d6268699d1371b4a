from __future__ import annotations

import pytest


def test_jobs_are_listed_newest_first_in_plain_columns(flamenco, farm, facts):
    farm.add_job(id=facts.JOB, name="old", created="2026-01-01T00:00:00Z")
    farm.add_job(id=facts.OTHER_JOB, name="new", created="2026-02-01T00:00:00Z")
    lines = flamenco("jobs").out.splitlines()
    assert lines[0].split()[:2] == ["ID", "STATUS"]
    assert [line.split()[0] for line in lines[1:]] == ["22222222", "11111111"]
    assert "1/4" in lines[1]


def test_a_long_name_is_not_cut_in_a_pipe(flamenco, farm):
    farm.add_job(name="shot " * 200)
    assert ("shot " * 200).strip() in flamenco("jobs").out


def test_a_name_of_two_lines_stays_in_its_row(flamenco, farm):
    farm.add_job(name="one\ntwo\x1b")
    assert len(flamenco("jobs").out.splitlines()) == 2


def test_jobs_can_be_filtered(flamenco, farm, facts):
    farm.add_job(name="Dragon", status="failed")
    farm.add_job(id=facts.OTHER_JOB, name="castle", status="active")
    assert [j["name"] for j in flamenco("jobs", "--json", "--status", "failed").json] == ["Dragon"]
    assert [j["name"] for j in flamenco("jobs", "--json", "--search", "dragon").json] == ["Dragon"]
    assert len(flamenco("jobs", "--json", "--status", "failed", "--status", "active").json) == 2
    assert flamenco("jobs", "--json", "--search", "unicorn").json == []


def test_an_empty_list_says_so_beside_the_output(flamenco):
    outcome = flamenco("jobs")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "no jobs\n")


def test_a_job_is_shown_with_its_settings(flamenco, farm, facts):
    farm.add_job()
    outcome = flamenco("jobs", "show", "1111")
    assert facts.JOB in outcome.out
    assert "frames = 1-4" in outcome.out
    assert "user = artist" in outcome.out
    assert flamenco("jobs", "show", facts.JOB, "--json").json["id"] == facts.JOB


def test_how_long_a_job_is_kept_is_known_by_the_start_of_its_id_too(flamenco, farm, facts):
    job = farm.add_job()
    kept = {"keep": True, "reason": "it is to be kept"}
    farm.more[f"GET /jobs/{facts.JOB}"] = lambda: {**job, "retention": kept}
    assert "until it is deleted: it is to be kept" in flamenco("jobs", "show", "1111").out


def test_tasks_of_a_job_are_listed_in_their_order(flamenco, farm, facts):
    second = facts.task(id=facts.OTHER_TASK, name="video", index_in_job=2, status="queued")
    farm.add_job(second, facts.task())
    outcome = flamenco("tasks", "1111")
    assert [line.split()[1] for line in outcome.out.splitlines()[1:]] == ["33333333", "44444444"]
    assert "box" in outcome.out
    queued = flamenco("tasks", "1111", "--status", "queued", "--json").json
    assert [task["name"] for task in queued] == ["video"]


def test_why_tasks_wait_is_said_in_words(flamenco, farm, facts):
    job = farm.add_job(facts.task())["id"]
    task = {"id": facts.OTHER_TASK, "name": "frames-1-5"}
    reason = {"reason": "no worker has registered yet", "tasks_count": 12, "tasks": [task]}
    farm.why[job] = {"job_id": job, "status": "queued", "reasons": [reason]}
    (line,) = flamenco("why", "1111").out.splitlines()[1:]
    assert line.split()[0] == "12"
    assert "no worker has registered yet" in line
    assert "frames-1-5" in line
    assert flamenco("why", "1111", "--json").json["reasons"] == [reason]
    farm.why[job] = {"job_id": job, "status": "completed", "reasons": []}
    assert "no task of the job waits; the job is completed" in flamenco("why", "1111").err


def test_workers_are_listed_with_what_they_are_asked_to_do(flamenco, farm):
    assert "flamenco worker" in flamenco("workers").err
    worker = {"id": "w" * 36, "name": "box", "status": "awake", "version": "1", "can_restart": True}
    farm.workers = [worker | {"status_change": {"status": "asleep", "is_lazy": True}}]
    assert "asleep when idle" in flamenco("workers").out
    farm.workers[0]["tags"] = [{"id": "t", "name": "gpu"}, {"id": "u", "name": "night"}]
    assert "  gpu, night  " in flamenco("workers").out
    assert flamenco("workers", "--json").json[0]["name"] == "box"


def test_the_version_of_the_manager_is_shown_if_it_answers(flamenco):
    assert "3.9 (Farm)" in flamenco("version").out
    assert flamenco("version", "--json").json["manager"] == "3.9 (Farm)"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(flamenco, shell):
    outcome = flamenco("completion", shell)
    assert outcome.code == 0
    assert "_FLAMENCO_COMPLETE" in outcome.out


def test_an_unknown_shell_is_refused(flamenco):
    assert flamenco("completion", "tcsh").code == 2
