"""``flamenco job-types diff``: what became of the job types that a Manager offers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

from flamenco_core.cli.job_type_diff import in_file

OLD = dedent('''\
    import attrs
    from flamenco_core import JobType, hookimpl, setting

    @attrs.frozen
    class Nap(JobType):
        """Sleep."""
        name = "nap"
        label = "Nap"
        seconds: int = setting(1)
        def author(self, author):
            author.task("nap", "misc")

    @hookimpl
    def register_job_types():
        return [Nap]
''')
NEW = OLD.replace("setting(1)", "setting(2)\n    deep: bool = setting(False)")


@pytest.fixture
def nap(farm, tmp_path: Path, monkeypatch) -> Path:
    """The file of a job type that the Manager offers and this machine has."""
    file = tmp_path / "here.py"
    file.write_text(OLD)
    (version,) = in_file(file).values()
    farm.job_types["nap"] = {
        "name": "nap",
        "label": "Nap",
        "description": "Sleep.",
        "etag": version.shown.etag,
        "settings": [{"key": "seconds", "type": "int32", "default": 1}],
    }
    farm.broken_job_types = {}
    farm.source_hashes["nap"] = hashlib.sha256(OLD.encode()).hexdigest()
    monkeypatch.setattr("flamenco_core.cli.job_type_diff.sources", lambda: {"nap": file})
    monkeypatch.setattr(
        "flamenco_core.cli.job_type_diff.on_this_machine", lambda: in_file(tmp_path / "here.py")
    )
    return file


def test_the_same_is_called_so(flamenco, nap):
    outcome = flamenco("job-types", "diff", "nap", "--against", nap)
    assert (outcome.code, outcome.out) == (0, "nap: same\n")
    assert flamenco("job-types", "diff").out == "nap: same\n"


def test_settings_and_lines_that_differ_are_told(flamenco, nap, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(NEW)
    outcome = flamenco("job-types", "diff", "--against", mine)
    assert outcome.code == 1
    lines = outcome.out.splitlines()
    assert lines[:3] == [
        "nap: setting 'deep' was added",
        "nap: 'seconds' has another default (1 -> 2)",
        "nap: its source is another one",
    ]
    assert lines[3:5] == [f"--- {nap}", f"+++ {mine}"]
    assert "+    deep: bool = setting(False)" in lines


def test_a_change_of_the_code_alone_is_seen_by_its_hash(flamenco, nap, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(OLD.replace('"misc"', '"other"'))
    (found,) = flamenco("job-types", "diff", "--against", mine, "--json").json
    assert (found["name"], found["changes"], found["source"]) == ("nap", [], "other")
    assert any(line.startswith("+") and '"other"' in line for line in found["lines"])


def test_a_copy_with_another_name_is_compared_with_what_it_was_made_of(flamenco, nap, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(OLD.replace('name = "nap"', 'name = "long-nap"'))
    assert "only the second has it" in flamenco("job-types", "diff", "--against", mine).out
    outcome = flamenco("job-types", "diff", "nap", "--against", mine)
    assert outcome.out.startswith("nap: its source is another one")
    assert '-    name = "nap"' in outcome.out


def test_the_lines_are_left_out_when_this_machine_has_another_version(
    flamenco, farm, nap, tmp_path
):
    farm.source_hashes["nap"] = "0" * 64
    mine = tmp_path / "mine.py"
    mine.write_text(NEW)
    outcome = flamenco("job-types", "diff", "--against", mine)
    assert outcome.out.splitlines()[-1] == "nap: its source is another one"


def test_a_manager_that_tells_no_hashes_is_compared_by_settings(flamenco, farm, nap):
    farm.broken_job_types = None
    (found,) = flamenco("job-types", "diff", "--json").json
    assert (found["changes"], found["source"]) == ([], "unknown")


def test_what_only_one_side_has_is_told(flamenco, farm, nap):
    farm.add_job_type("render")
    outcome = flamenco("job-types", "diff")
    assert outcome.code == 1
    assert outcome.out.splitlines() == ["nap: same", "render: only the first has it"]


def test_two_managers_are_compared(flamenco, farm, nap):
    def other(request: httpx.Request) -> httpx.Response:
        if request.url.host == "other":
            return httpx.Response(200, json={"job_types": [], "problems": []})
        return farm(request)

    outcome = flamenco(
        "job-types", "diff", "--against", "other:8080", transport=httpx.MockTransport(other)
    )
    assert (outcome.code, outcome.out) == (1, "nap: only the first has it\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "no job type 'nothing'; there are: nap"),
        (["--against", "gone.js"], "there is no file gone.js"),
        (["--against", "broken.py"], "ZeroDivisionError"),
        (["--against", "empty.py"], "no job type in it"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_reason(
    flamenco, nap, tmp_path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "empty.py").write_text("x = 1")
    outcome = flamenco("job-types", "diff", *arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert words in outcome.err
