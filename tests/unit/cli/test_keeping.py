"""``flamenco jobs archive``, ``keep`` and ``prune``."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest


def a_zip(format: int = 1, **entries: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        about = {"format": format, "made": "2026-04-01T10:00:00Z"}
        archive.writestr("archive.json", json.dumps(about))
        archive.writestr("job.json", json.dumps({"id": "1", "name": "shot", "status": "failed"}))
        for name, text in entries.items():
            archive.writestr(name, text)
    return out.getvalue()


class Answers:
    """A Manager that answers one path, and remembers what it was sent."""

    def __init__(self, farm: Any, path: str, answer: httpx.Response) -> None:
        self.farm, self.path, self.answer = farm, path, answer
        self.bodies: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith(self.path):
            return self.farm(request)
        self.bodies.append(json.loads(request.content) if request.content else None)
        return self.answer


@pytest.fixture
def say(flamenco, farm, facts):
    """Run the program against a Manager that gives this answer at this path."""
    farm.add_job()

    def call(path: str, answer: httpx.Response, *args: Any) -> tuple[Any, list[Any]]:
        answers = Answers(farm, path, answer)
        return flamenco(*args, transport=httpx.MockTransport(answers)), answers.bodies

    return call


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_archive_is_fetched_and_named_after_its_job(say, facts) -> None:
    outcome, _ = say("/archive", httpx.Response(200, content=a_zip()), "jobs", "archive", "1111")
    assert outcome.code == 0
    name = f"job-{facts.JOB}.zip"
    assert outcome.out == f"{name}, {Path(name).stat().st_size:,} bytes\n"


@pytest.mark.parametrize("content", [a_zip()[:-30], b"", b"no zip at all"])
def test_half_an_archive_is_none(say, content, tmp_path) -> None:
    answer = httpx.Response(200, content=content)
    outcome, _ = say("/archive", answer, "jobs", "archive", "1111", "x.zip")
    assert outcome.code == 1
    assert "is no whole archive" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_left_alone(say) -> None:
    Path("x.zip").write_text("precious")
    answer = httpx.Response(200, content=a_zip())
    outcome, _ = say("/archive", answer, "jobs", "archive", "1111", "x.zip")
    assert (outcome.code, Path("x.zip").read_text()) == (1, "precious")
    assert "x.zip exists already" in outcome.err


def test_a_refusal_is_said_in_the_managers_words(say) -> None:
    answer = httpx.Response(404, json={"code": 404, "message": "there is no job 1"})
    outcome, _ = say("/archive", answer, "jobs", "archive", "1111", "x.zip")
    assert (outcome.code, outcome.err) == (1, "flamenco: there is no job 1\n")


def test_it_can_be_put_where_the_manager_is(say) -> None:
    answer = httpx.Response(200, json={"path": "/kept/a.zip", "size": 12345})
    outcome, _ = say("/archive", answer, "jobs", "archive", "1111", "--there")
    assert outcome.out == "/kept/a.zip on the Manager's machine, 12,345 bytes\n"


def test_an_archive_can_be_looked_into(flamenco) -> None:
    Path("a.zip").write_bytes(a_zip(tasks="{}"))
    outcome = flamenco("jobs", "archive", "--list", "a.zip")
    assert "job 1 (shot), failed" in outcome.out
    assert "tasks" in outcome.out
    found = flamenco("jobs", "archive", "--list", "a.zip", "--json").json
    assert [entry["name"] for entry in found["entries"]] == ["archive.json", "job.json", "tasks"]


def test_a_newer_archive_is_not_guessed_at(flamenco) -> None:
    Path("a.zip").write_bytes(a_zip(format=2))
    outcome = flamenco("jobs", "archive", "--list", "a.zip")
    assert outcome.code == 1
    assert "format 2, which this version does not know" in outcome.err


@pytest.mark.parametrize("args", [("archive",), ("keep",), ("keep", "1111", "--for", "soon")])
def test_a_wrong_command_line_is_refused(say, args) -> None:
    outcome, bodies = say("/retention", httpx.Response(204), "jobs", *args)
    assert outcome.code in (1, 2)
    assert bodies == []


@pytest.mark.parametrize(
    ("args", "body", "words"),
    [
        ((), {"keep": True}, "for ever"),
        (("--for", "30d"), {"keep": False, "seconds": 2_592_000}, "for 30d"),
        (("--as-usual",), {"keep": False}, "as the rules say"),
    ],
)
def test_a_job_is_kept(say, args, body, words) -> None:
    outcome, bodies = say("/retention", httpx.Response(204), "jobs", "keep", "1111", *args)
    assert outcome.out == f"keeping job 11111111 (shot 010) {words}\n"
    assert {k: v for k, v in bodies[0].items() if v is not None} == body


def test_pruning_shows_what_goes(say) -> None:
    job = {
        "id": "1" * 36, "name": "shot", "type": "t", "status": "failed",
        "updated": "2026-04-01T10:00:00Z", "reason": "rule 1", "size": 2048,
    }  # fmt: skip
    answer = httpx.Response(200, json={"dry_run": True, "size": 2048, "jobs": [job]})
    args = ("--dry-run", "--older-than", "30d", "--status", "failed, canceled")
    outcome, bodies = say("/prune", answer, "jobs", "prune", *args)
    assert "rule 1" in outcome.out
    assert outcome.err == "1 jobs would be deleted; 2,048 bytes\n"
    assert bodies == [
        {
            "dry_run": True,
            "older_than_seconds": 2_592_000,
            "statuses": ["failed", "canceled"],
            "user": "",
            "archive": False,
        }
    ]


def test_nothing_to_prune_is_said(say) -> None:
    answer = httpx.Response(200, json={"dry_run": False, "size": 0, "jobs": []})
    outcome, _ = say("/prune", answer, "jobs", "prune")
    assert (outcome.out, outcome.err) == ("", "no job's time is over\n")
