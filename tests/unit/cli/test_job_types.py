from __future__ import annotations

import pytest

GOOD = '''
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
'''


def test_job_types_are_listed(flamenco, farm):
    farm.add_job_type("zebra")
    farm.add_job_type("ape")
    for args in (["job-types"], ["job-types", "list"]):
        lines = flamenco(*args).out.splitlines()
        assert [line.split()[0] for line in lines] == ["NAME", "ape", "zebra"]
        assert [kind["name"] for kind in flamenco(*args, "--json").json] == ["ape", "zebra"]


def test_the_settings_of_a_job_type_are_shown_with_who_gives_them(flamenco, farm):
    farm.add_job_type(
        "render",
        {"key": "blendfile", "type": "string"},
        {"key": "fps", "type": "float", "eval": "x"},
        {"key": "chunk", "type": "int32", "default": 1},
        {"key": "engine", "type": "string", "required": True, "choices": ["a", "b"]},
    )
    out = flamenco("job-types", "show", "render").out
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    assert "the file" in lines["blendfile"]
    assert "Blender" in lines["fps"]
    assert "default 1" in lines["chunk"]
    assert "you" in lines["engine"]
    assert "[a, b]" in lines["engine"]
    assert flamenco("job-types", "show", "render", "--json").json["etag"] == "e1"


def test_an_unknown_job_type_is_named(flamenco):
    outcome = flamenco("job-types", "show", "nothing")
    assert (outcome.code, outcome.out) == (1, "")
    assert "nothing" in outcome.err


@pytest.fixture
def sources(monkeypatch, tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.js"
    one.write_text("one")
    two.write_text("two")
    found = {"first-type": one, "second": two}
    monkeypatch.setattr("flamenco_core.cli.job_type_files.sources", lambda: found)


def test_a_job_type_is_exported_but_never_over_another_file(flamenco, sources, tmp_path):
    folder = tmp_path / "mine"
    assert flamenco("job-types", "export", "first-type", folder).code == 0
    file = folder / "first_type.py"
    file.write_text("changed")
    outcome = flamenco("job-types", "export", "--all", folder)
    assert outcome.code == 1
    assert "--force" in outcome.err
    assert file.read_text() == "changed"
    assert not (folder / "second.js").exists()
    assert flamenco("job-types", "export", "--all", folder, "--force").code == 0
    assert file.read_text() == "one"
    assert (folder / "second.js").read_text() == "two"


@pytest.mark.parametrize("args", [[], ["first-type"], ["--all"], ["--all", "first-type", "x"]])
def test_export_wants_names_and_a_folder(flamenco, sources, args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert flamenco("job-types", "export", *args).code == 2


def test_exporting_an_unknown_job_type_lists_those_there_are(flamenco, sources, tmp_path):
    outcome = flamenco("job-types", "export", "nothing", tmp_path / "x")
    assert outcome.code == 1
    assert "first-type, second" in outcome.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("", ""), "fine"),
        (("@attrs.frozen\n", ""), "no attrs class"),
        (('name = "nap"', 'name = "Nap Time"'), "my-job-type"),
        (('    label = "Nap"\n', ""), "'label'"),
        (("seconds: int", "seconds: list"), "must be str, int, float or bool"),
        (("seconds: int", "seconds: integer"), "NameError"),
        (("@hookimpl\n", ""), "register_job_types"),
        (("(JobType)", ""), "no job type in it"),
        (("import attrs\n", "import attrs\n1/0\n"), "line 3: ZeroDivisionError"),
        (("import attrs\n", "import attrs\nclass\n"), "SyntaxError"),
    ],
)
def test_a_python_job_type_is_checked(flamenco, tmp_path, change, words):
    file = tmp_path / "nap.py"
    file.write_text(GOOD.replace(*change) if change[0] else GOOD)
    outcome = flamenco("job-types", "check", file)
    assert words in outcome.out
    assert outcome.code == (0 if words == "fine" else 1)


def test_a_script_is_checked(flamenco, tmp_path):
    pytest.importorskip("flamenco_javascript.check")
    good, bad = tmp_path / "good.js", tmp_path / "bad.js"
    good.write_text("const JOB_TYPE = {label: 'G', settings: []};\nfunction compileJob(job) {}\n")
    bad.write_text("const JOB_TYPE = {label: 'B'\n")
    outcome = flamenco("job-types", "check", good, bad)
    assert outcome.code == 1
    assert f"{good}: fine" in outcome.out
    assert "bad.js" in outcome.out.splitlines()[1]


def test_other_files_are_no_job_types(flamenco, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("x")
    outcome = flamenco("job-types", "check", file)
    assert outcome.code == 1
    assert ".py or .js" in outcome.out
    assert flamenco("job-types", "check", tmp_path / "gone.py").code == 2
