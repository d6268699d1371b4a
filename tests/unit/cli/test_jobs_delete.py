"""``flamenco jobs delete``, and how much jobs take of the disk."""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx
import pytest

from flamenco_core.cli.output import size


class Disposing:
    """A Manager that deletes the jobs it is told to, unless they are kept."""

    def __init__(self, farm: Any) -> None:
        self.farm = farm
        self.kept: set[str] = set()
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v3/jobs/")
        if path == "/api/v3/disk-use":
            return httpx.Response(200, json={"jobs": [self._use(id) for id in self.farm.jobs]})
        if path.endswith("/disk-use"):
            return httpx.Response(200, json=self._use(path.partition("/")[0]))
        if path != "delete":
            return self.farm(request)
        body = json.loads(request.content)
        self.bodies.append(body)
        jobs = [self._delete(id, body) for id in body["job_ids"]]
        total = sum(job["size"] for job in jobs)
        return httpx.Response(200, json={"dry_run": body["dry_run"], "size": total, "jobs": jobs})

    def _use(self, id: str) -> dict[str, Any]:
        return {"job_id": id, "logs": 1500, "images": 0, "archive": 2_000_000}

    def _delete(self, id: str, body: dict[str, Any]) -> dict[str, Any]:
        job = self.farm.jobs[id]
        shown = {"id": id, **{key: job[key] for key in ("name", "type", "status")}}
        if id in self.kept and body["spare_kept"]:
            return {**shown, "size": 0, "problem": "it is to be kept"}
        return {**shown, "size": 1500}

    @property
    def deleted(self) -> list[str]:
        return [id for body in self.bodies if not body["dry_run"] for id in body["job_ids"]]


@pytest.fixture
def manager(farm: Any, facts: Any) -> Disposing:
    farm.add_job(status="completed", metadata={"user.name": "Artist"})
    farm.add_job(id=facts.OTHER_JOB, name="shot 020", type="other", status="active", metadata={})
    return Disposing(farm)


@pytest.fixture
def call(flamenco: Any, manager: Disposing):
    return lambda *args: flamenco(*args, transport=httpx.MockTransport(manager))


def test_a_job_is_shown_and_then_deleted(call, manager, facts) -> None:
    outcome = call("jobs", "delete", "1111", "--yes")
    assert (outcome.code, manager.deleted) == (0, [facts.JOB])
    assert "shot 010" in outcome.out
    assert outcome.err == "1 job is being deleted; 1.5 kB\n"


def test_without_a_yes_and_nobody_to_ask_nothing_is_deleted(call, manager, monkeypatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    outcome = call("jobs", "delete", "1111", "2222")
    assert (outcome.code, manager.deleted) == (2, [])
    assert "delete 2 jobs, 1 of them not finished; say --yes" in outcome.err


def test_a_rehearsal_deletes_nothing(call, manager) -> None:
    outcome = call("jobs", "delete", "--older-than", "1d", "--dry-run")
    assert (outcome.code, manager.deleted) == (0, [])
    assert outcome.err == "2 jobs would be deleted; 3.0 kB\n"


@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        (["--user", "artist"], True, False),
        (["--type", "other"], False, True),
        (["--status", "completed", "--status", "failed"], True, False),
        (["--search", "020"], False, True),
        (["--older-than", "0s"], True, True),
        (["--older-than", "52000w"], False, False),
        (["--user", "artist", "--type", "other"], False, False),
    ],
)
def test_options_say_which_jobs_are_meant(call, manager, facts, options, first, second) -> None:
    outcome = call("jobs", "delete", *options, "--yes")
    wanted = [id for id, there in ((facts.JOB, first), (facts.OTHER_JOB, second)) if there]
    assert (outcome.code, manager.deleted) == (0, wanted)
    assert ("no jobs like that" in outcome.err) == (not wanted)
    # The same options list them.
    assert sorted(j["id"] for j in call("jobs", *options, "--json").json) == wanted


def test_what_is_to_be_kept_stays_unless_it_is_named(call, manager, facts) -> None:
    manager.kept = {facts.JOB}
    outcome = call("jobs", "delete", "--user", "artist", "--yes")
    assert (outcome.code, manager.deleted) == (0, [])
    assert "it is to be kept" in outcome.out
    assert call("jobs", "delete", "1111", "--yes").code == 0
    assert manager.deleted == [facts.JOB]


def test_the_archive_is_asked_for(call, manager) -> None:
    outcome = call("jobs", "delete", "1111", "--archive", "--yes", "--json")
    assert [body["archive"] for body in manager.bodies] == [True, True]
    assert outcome.json["dry_run"] is False


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ([], 2, "Give JOBs, or options"),
        (["1111", "--user", "artist"], 2, "Give JOBs, or options"),
        (["1111", "9999", "--yes"], 1, "there is no job '9999'"),
        (["--older-than", "soon"], 1, "not an age such as 30d"),
        (["--status", "gone"], 2, "'gone' is not one of"),
    ],
)
def test_what_is_not_clear_deletes_nothing(call, manager, args, code, words) -> None:
    outcome = call("jobs", "delete", *args)
    assert (outcome.code, manager.deleted) == (code, [])
    assert words in outcome.err


def test_a_job_says_what_it_takes_of_the_disk(call) -> None:
    shown = call("jobs", "show", "1111").out
    assert "on disk:      1.5 kB logs, 2.0 MB archive\n" in shown
    assert "submitted by: Artist\n" in shown


def test_flamencos_own_manager_does_not_tell(flamenco, farm) -> None:
    farm.add_job()
    outcome = flamenco("jobs", "show", "1111")
    assert (outcome.code, "on disk" in outcome.out) == (0, False)


def test_the_list_has_sizes_if_they_are_asked_for(call, facts) -> None:
    assert "SIZE" not in call("jobs").out
    assert call("jobs", "--size").out.count("2.0 MB") == 2
    use = call("jobs", "--size", "--json").json[0]["disk_use"]
    assert use["archive"] == 2_000_000


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_500_000, "1.5 MB"),
        (2 * 10**15, "2000.0 TB"),
    ],
)
def test_bytes_as_people_read_them(count, text) -> None:
    assert size(count) == text
