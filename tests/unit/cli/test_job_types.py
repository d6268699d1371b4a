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


def test_what_is_broken_is_told_beside_the_list(flamenco, farm):
    farm.add_job_type("ape")
    assert flamenco("job-types").err == ""
    farm.broken_job_types = {"bad": "nothing is not defined (bad.js:2:1)"}
    outcome = flamenco("job-types")
    assert outcome.out.count("\n") == 2
    assert outcome.err == "bad is not offered: nothing is not defined (bad.js:2:1)\n"


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
    return found


def test_a_job_type_is_exported_but_never_over_another_file(flamenco, sources, tmp_path):
    folder = tmp_path / "mine"
    assert flamenco("job-types", "export", folder, "first-type").code == 0
    file = folder / "first_type.py"
    file.write_text("changed")
    outcome = flamenco("job-types", "export", folder)
    assert outcome.code == 1
    assert "--force" in outcome.err
    assert file.read_text() == "changed"
    assert not (folder / "second.js").exists()
    outcome = flamenco("job-types", "export", folder, "--force", "--json")
    assert outcome.json == [str(file), str(folder / "second.js")]
    assert file.read_text() == "one"
    assert (folder / "second.js").read_text() == "two"


def test_a_source_is_not_copied_over_itself(flamenco, sources, tmp_path):
    (tmp_path / "two.js").rename(tmp_path / "second.js")
    sources["second"] = tmp_path / "second.js"
    assert flamenco("job-types", "export", tmp_path, "second", "--force").code == 0
    assert (tmp_path / "second.js").read_text() == "two"


def test_export_wants_a_folder(flamenco, sources, tmp_path):
    assert flamenco("job-types", "export").code == 2
    assert flamenco("job-types", "export", tmp_path / "one.py").code == 2


def test_exporting_an_unknown_job_type_lists_those_there_are(flamenco, sources, tmp_path):
    outcome = flamenco("job-types", "export", tmp_path / "x", "first-type", "nothing")
    assert outcome.code == 1
    assert "'nothing'" in outcome.err
    assert "first-type, second" in outcome.err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("", ""), "fine"),
        (("@attrs.frozen\n", ""), "nap.py:5: Nap: it is no attrs class"),
        (('name = "nap"', 'name = "Nap Time"'), "my-job-type"),
        (('    label = "Nap"\n', ""), "'label'"),
        (("seconds: int", "seconds: list"), "must be str, int, float or bool"),
        (("seconds: int", "seconds: integer"), "NameError"),
        (("@hookimpl\n", ""), "register_job_types"),
        (("(JobType)", ""), "no job type in it"),
        (("import attrs\n", "import attrs\n1/0\n"), "nap.py:3: ZeroDivisionError"),
        (("import attrs\n", "import attrs\nclass\n"), "nap.py:3:6: SyntaxError"),
        (("import attrs\n", "raise SystemExit(3)\n"), "nap.py:2: SystemExit: 3"),
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
    assert outcome.out.splitlines()[1].startswith(f"{bad}:1:29: SyntaxError")
    (problem,) = flamenco("job-types", "check", good, bad, "--json").json
    assert (problem["file"], problem["line"]) == (str(bad), 1)
    assert "bad.js" not in problem["message"]


def test_what_is_wrong_in_a_file_beside_it_keeps_its_place(flamenco, tmp_path):
    pytest.importorskip("flamenco_javascript.check")
    script = tmp_path / "uses.js"
    script.write_text("require('lib'); const JOB_TYPE = {label: 'G'};\n")
    (tmp_path / "lib.js").write_text("\nnothing.here;\n")
    outcome = flamenco("job-types", "check", script)
    assert outcome.out.startswith(f"{script}: ReferenceError")
    assert "(lib.js:2:1)" in outcome.out


def test_other_files_are_no_job_types(flamenco, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("x")
    outcome = flamenco("job-types", "check", file)
    assert outcome.code == 1
    assert ".py or .js" in outcome.out
    assert flamenco("job-types", "check", tmp_path / "gone.py").code == 2
