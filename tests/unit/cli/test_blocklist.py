"""Blocklists on the command line."""

from __future__ import annotations

from typing import Any

import pytest

ALFA = "aaaaaaaa-cccc-4ccc-8ccc-cccccccccccc"
TIME = "2026-04-01T10:00:00.120000Z"


@pytest.fixture
def entries(farm: Any, facts: Any) -> list[dict[str, Any]]:
    farm.add_job(facts.task())
    farm.workers = [
        {"id": ALFA, "name": "Alfa", "status": "awake", "version": "1", "can_restart": True}
    ]
    found: list[dict[str, Any]] = []
    path = f"/jobs/{facts.JOB}/blocklist"
    farm.more[f"GET {path}"] = lambda: found
    farm.more[f"POST {path}"] = farm.more[f"DELETE {path}"] = lambda: None
    return found


def an_entry(**rest: Any) -> dict[str, Any]:
    return {"worker_id": ALFA, "worker_name": "Alfa", "task_type": "blender"} | rest


def changes(farm: Any) -> list[Any]:
    return [(what.split()[0], body) for what, body in farm.told if not what.startswith("GET")]


def test_it_is_shown_with_reasons_and_times(flamenco: Any, entries: Any) -> None:
    assert flamenco("jobs", "blocklist", "1111").err == "nobody is blocked\n"
    entries.append(an_entry(reason="it failed 3 tasks", added_at=TIME))
    columns, row = flamenco("jobs", "blocklist", "1111").out.splitlines()
    assert columns.split() == ["WORKER", "TASK", "TYPE", "SINCE", "UNTIL", "BY", "WHY"]
    assert row.split()[:2] == ["Alfa", "blender"]
    assert row.endswith("removed  the Manager  it failed 3 tasks")
    assert flamenco("jobs", "blocklist", "1111", "--json").json[0]["worker_id"] == ALFA


def test_a_worker_is_blocked_for_a_time(flamenco: Any, farm: Any, entries: Any) -> None:
    options = ("--add", "alfa", "--task-type", "blender", "--for", "2h", "--reason", "old GPU")
    assert flamenco("jobs", "blocklist", "1111", *options).code == 0
    entry = {"worker_id": ALFA, "task_type": "blender", "reason": "old GPU", "seconds": 7200}
    assert changes(farm) == [("POST", [entry])]


def test_a_worker_is_let_in_again_for_all_types_or_one(
    flamenco: Any, farm: Any, entries: Any
) -> None:
    entries += [an_entry(), an_entry(task_type="ffmpeg"), an_entry(worker_id="x")]
    flamenco("jobs", "blocklist", "1111", "--remove", "alfa")
    flamenco("jobs", "blocklist", "1111", "--remove", "alfa", "--task-type", "ffmpeg")
    types = [[entry["task_type"] for entry in body] for _, body in changes(farm)]
    assert types == [["blender", "ffmpeg"], ["ffmpeg"]]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--add", "alfa"], 2, "say for which --task-type"),
        (["--add", "alfa", "--remove", "alfa"], 2, "not both"),
        (["--for", "2h"], 2, "belong to --add"),
        (["--task-type", "x"], 2, "belongs to --add or --remove"),
        (["--add", "zoe", "--task-type", "x"], 1, "there is no worker 'zoe'"),
        (["--add", "alfa", "--task-type", "x", "--for", "soon"], 1, "--for: not an age such as"),
        (["--remove", "alfa"], 1, "worker Alfa is not on this job's blocklist"),
    ],
)
def test_what_makes_no_sense_is_said(
    flamenco: Any, farm: Any, entries: Any, options: list[str], code: int, words: str
) -> None:
    outcome = flamenco("jobs", "blocklist", "1111", *options)
    assert outcome.code == code
    assert words in outcome.err
    assert changes(farm) == []


def test_all_entries_of_a_worker(flamenco: Any, farm: Any, entries: Any, facts: Any) -> None:
    path = f"/worker-mgt/workers/{ALFA}/blocklist"
    where = {"job_id": facts.JOB, "job_name": "shot 010", "job_status": "active"}
    farm.more[f"GET {path}"] = lambda: [where | {"task_type": "blender", "added_by": "artist"}]
    farm.more[f"DELETE {path}"] = lambda: None
    row = flamenco("workers", "blocklist", "alfa").out.splitlines()[1]
    assert row.split() == ["11111111", "active", "blender", "removed", "artist", "shot", "010"]
    assert changes(farm) == []
    flamenco("workers", "blocklist", "alfa", "--clear")
    assert changes(farm) == [("DELETE", {})]
