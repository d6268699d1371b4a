"""Why, when workers sleep, and jobs that are stuck: on the command line."""

from __future__ import annotations

import pytest

ALFA = "aaaaaaaa-cccc-4ccc-8ccc-cccccccccccc"
BELA = "bbbbbbbb-cccc-4ccc-8ccc-cccccccccccc"
TASK_WHY = {"name": "render-1-2", "status": "queued", "reason": "no worker is awake"}


def a_worker(id: str = ALFA, name: str = "Alfa", **rest: object) -> dict[str, object]:
    detailed = {"ip_address": "::1", "platform": "linux", "supported_task_types": []}
    known = {"id": id, "name": name, "status": "awake", "version": "1", "can_restart": True}
    return known | detailed | rest


@pytest.fixture
def workers(farm):
    tags = [{"id": "t", "name": "gpu"}]
    farm.workers = [a_worker(tags=tags), a_worker(BELA, "bela")]
    return farm.workers


# -- why -------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["333333333", "1111/1", "33333333-bbbb-4bbb-8bbb-bbbbbbbbbbbb"])
def test_why_a_task_waits(flamenco, farm, facts, workers, word):
    farm.add_job(facts.task())
    farm.why[facts.TASK] = {
        **TASK_WHY,
        "task_id": facts.TASK,
        "job_id": facts.JOB,
        "waits_for": [],
    }
    word = word[:8] if "/" not in word and len(word) < 36 else word
    outcome = flamenco("why", word)
    assert outcome.out == "task render-1-2 (queued):\n  no worker is awake\n"
    assert flamenco("why", word, "--json").json["reason"] == "no worker is awake"


@pytest.mark.parametrize("word", ["alfa", "Alfa", "aaaaaa", ALFA])
def test_why_a_worker_idles(flamenco, farm, workers, word):
    why = {"worker_id": ALFA, "name": "Alfa", "status": "asleep", "reasons": ["it is asleep", "x"]}
    farm.why[ALFA] = why
    assert flamenco("why", word).out == "worker Alfa (asleep):\n  it is asleep\n  x\n"
    assert flamenco("why", word, "--json").json == why


def test_a_word_for_nothing_says_where_to_look(flamenco, workers):
    for word in ("nobody", "dddddddd", "al"):
        outcome = flamenco("why", word)
        assert outcome.code != 0
        assert f"there is no job, task or worker {word!r}; 'flamenco jobs' and" in outcome.err


def test_a_word_for_several_things_is_refused(flamenco, farm, workers):
    farm.add_job(id=ALFA[:4] + "1111-aaaa-4aaa-8aaa-aaaaaaaaaaaa")
    assert "can be several things: worker" in flamenco("why", "aaaa").err
    farm.workers.append(a_worker(id=BELA, name="alfa"))
    assert "'alfa' can be 2 workers" in flamenco("why", "alfa").err


# -- schedules -------------------------------------------------------------------------------


def test_a_worker_without_a_schedule(flamenco, workers):
    assert flamenco("workers", "schedule", "alfa").out == "Alfa has no sleep schedule\n"
    assert flamenco("workers", "schedule", "alfa", "--json").json["worker"] == ALFA


def test_a_schedule_is_made_changed_and_shown(flamenco, farm, workers):
    night = ["--from", "22:00", "--to", "06:00", "--also", "sa su 10:00-12:00", "--finish-task"]
    outcome = flamenco("workers", "schedule", "alfa", *night, "--except", "2026-12-24")
    assert outcome.out.startswith(
        "Alfa sleeps every day 22:00-06:00, and sa su 10:00-12:00, not on 2026-12-24,"
        " after its task; awake until "
    )
    (sent,) = [body for _, body in farm.told]
    assert sent["more_spans"] == [
        {"days_of_week": "sa su", "start_time": "10:00", "end_time": "12:00"}
    ]
    outcome = flamenco("workers", "schedule", ALFA, "--off", "--also", "", "--time-zone", "UTC")
    assert outcome.out == (
        "Alfa sleeps every day 22:00-06:00 (UTC), not on 2026-12-24, after its task; switched off\n"
    )
    assert farm.told[-1][1]["is_active"] is False


def test_a_tag_has_one_for_its_workers(flamenco, farm, workers):
    farm.tags = [{"id": "t1", "name": "gpu"}]
    path = "/worker-mgt/tag/t1/sleep-schedule"
    farm.more[f"GET {path}"] = lambda: None
    farm.more[f"DELETE {path}"] = lambda: None
    assert flamenco("workers", "schedule", "--tag", "gpu").out == "tag gpu has no sleep schedule\n"
    flamenco("workers", "schedule", "--tag", "gpu", "--days", "mo")
    sent = dict(farm.told)
    assert sent[path]["days_of_week"] == "mo"
    flamenco("workers", "schedule", "--tag", "gpu", "--forget")
    assert f"DELETE {path}" in dict(farm.told)
    wrong = flamenco("workers", "schedule", "--tag", "cpu")
    assert "there is no tag 'cpu'; there are: gpu" in wrong.err


def test_a_worker_says_through_which_tag_it_sleeps(flamenco, farm, workers):
    farm.schedules[ALFA] = {
        "is_active": True,
        "days_of_week": "mo",
        "start_time": "",
        "end_time": "",
        "status": "awake",
        "tag": "gpu",
    }
    assert "Alfa sleeps by tag gpu mo 00:00" in flamenco("workers", "schedule", "alfa").out
    farm.more[f"DELETE /worker-mgt/workers/{ALFA}/sleep-schedule"] = lambda: None
    assert flamenco("workers", "schedule", "alfa", "--forget").code == 0
    assert farm.told[-1][0].startswith("DELETE")


def test_what_makes_no_sense_changes_nothing(flamenco, farm, workers):
    assert "Give a WORKER, or --tag;" in flamenco("workers", "schedule").err
    assert "Give a WORKER, or --tag;" in flamenco("workers", "schedule", "a", "--tag", "b").err
    assert "there is no worker 'zoe'" in flamenco("workers", "schedule", "zoe", "--on").err
    wrong = flamenco("workers", "schedule", "alfa", "--also", "mo 10:00")
    assert "is no span; write it as 'mo tu 22:00-06:00'" in wrong.err
    both = flamenco("workers", "schedule", "alfa", "--forget", "--on")
    assert "--forget removes the schedule" in both.err
    assert farm.told == []


# -- stuck jobs ------------------------------------------------------------------------------


def test_stuck_jobs_are_listed(flamenco, farm, facts):
    assert flamenco("jobs", "stuck").err == "no job is stuck\n"
    job = {"job_id": facts.JOB, "name": "shot"}
    farm.stuck = {
        "repaired": [job | {"previous_status": "requeueing", "status": "queued"}],
        "impossible": [
            {
                "job_id": facts.OTHER_JOB,
                "job_name": "other",
                "task_type": "blender",
                "tasks_count": 12,
                "reason": "nobody has the tag",
                "done": "fail",
            }
        ],
    }
    lines = flamenco("jobs", "stuck", "--impossible", "fail").out.splitlines()
    assert farm.told[-1] == ("/jobs/check-stuck", {"impossible_tasks": "fail"})
    assert "was requeueing" in lines[1]
    assert "12 blender" in lines[2]
    assert flamenco("jobs", "stuck", "--json").json == farm.stuck
    assert flamenco("jobs", "stuck", "--impossible", "pray").code == 2
