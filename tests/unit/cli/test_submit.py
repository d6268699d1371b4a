from __future__ import annotations

import json
import stat
import sys

import pytest

from flamenco_core.cli.submission import blender as asking

FRAMES = {"key": "frames", "type": "string", "required": True, "eval": "'1-24'"}
RENDER = [
    FRAMES,
    {"key": "chunk_size", "type": "int32", "default": 1, "propargs": {"min": 1, "max": 9}},
    {"key": "render_output_root", "type": "string", "subtype": "dir_path", "required": True},
    {"key": "add_path_components", "type": "int32", "default": 0, "required": True},
    {"key": "render_output_path", "type": "string", "subtype": "file_path", "eval": "x"},
    {"key": "blendfile", "type": "string", "required": True},
    {"key": "fps", "type": "float", "eval": "C.scene.render.fps", "visible": "hidden"},
    {"key": "format", "type": "string", "required": True, "eval": "f"},
    {"key": "has_previews", "type": "bool", "eval": "p"},
]
KNOWN = {"frames": "3-5", "fps": 25, "format": "PNG", "has_previews": 0, "render_output_path": "/r"}


@pytest.fixture
def blend(tmp_path):
    file = tmp_path / "shot_010.blend"
    file.write_bytes(b"BLENDER")
    return file


@pytest.fixture
def asked(monkeypatch):
    """Put a Blender in place that knows `KNOWN`; the list tells what it was asked."""
    asked = []

    def evaluate(program, blend, expressions, *, settings, job_name):
        asked.append((program, blend, dict(expressions), dict(settings), job_name))
        return {key: KNOWN[key] for key, _ in expressions}

    monkeypatch.setattr(asking, "find_blender", lambda given=None: [given or "blender"])
    monkeypatch.setattr("flamenco_core.cli.submission.job.evaluate", evaluate)
    return asked


@pytest.fixture
def no_blender(monkeypatch):
    monkeypatch.setattr(asking, "find_blender", lambda given=None: None)


@pytest.fixture
def render(farm):
    farm.add_job_type("simple-blender-render", *RENDER)
    return farm


def submitted(farm):
    path, body = farm.told[-1]
    assert path == "/jobs"
    return body


def test_settings_come_from_the_file_and_the_defaults(flamenco, render, blend, asked):
    outcome = flamenco("submit", blend)
    assert outcome.code == 0
    assert outcome.out.startswith("submitted job ")
    body = submitted(render)
    assert body["name"] == "shot_010"
    assert body["type_etag"] == "e1"
    assert body["priority"] == 50
    assert body["initial_status"] == "queued"
    assert body["submitter_platform"] in ("linux", "darwin", "windows")
    assert body["settings"] == {
        "frames": "3-5",
        "chunk_size": 1,
        "render_output_root": (blend.parent / "renders").as_posix(),
        "add_path_components": 0,
        "render_output_path": "/r",
        "blendfile": blend.as_posix(),
        "fps": 25.0,
        "format": "PNG",
        "has_previews": False,
    }
    assert isinstance(body["settings"]["fps"], float)


def test_what_is_given_is_not_asked_of_blender(flamenco, render, blend, asked):
    flamenco("submit", blend, "--frames", "7", "--set", "format=JPEG", "--blender", "b5")
    program, _, expressions, settings, name = asked[0]
    assert program == ["b5"]
    assert set(expressions) == {"render_output_path", "fps", "has_previews"}
    assert settings["frames"] == "7"
    assert name == "shot_010"
    assert submitted(render)["settings"]["format"] == "JPEG"


def test_all_options_reach_the_manager(flamenco, render, blend, asked):
    render.tags = [{"id": "t1", "name": "gpu"}]
    args = ["--name", "My Job", "--priority", "70", "--tag", "gpu", "--paused", "--json"]
    outcome = flamenco("submit", blend, *args)
    body = submitted(render)
    assert (body["name"], body["priority"]) == ("My Job", 70)
    assert (body["worker_tag"], body["initial_status"]) == ("t1", "paused")
    assert outcome.json["id"] == body["id"]


def test_without_blender_what_is_missing_is_named_with_its_cure(
    flamenco, render, blend, no_blender
):
    outcome = flamenco("submit", blend)
    assert outcome.code == 1
    assert "--set frames=STRING" in outcome.err
    assert "--set format=STRING" in outcome.err
    assert "--blender" in outcome.err
    assert "fps" not in outcome.err
    assert render.told == []


def test_without_blender_all_can_be_given(flamenco, render, blend, no_blender):
    args = ["--frames", "1-3", "--set", "format=PNG", "--set", "add_path_components=1"]
    assert flamenco("submit", blend, *args).code == 0
    settings = submitted(render)["settings"]
    root = (blend.parent / "renders").as_posix()
    expected = f"{root}/{blend.parent.name}/shot_010/{{timestamp}}/######"
    assert settings["render_output_path"] == expected
    assert "fps" not in settings


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("chunk_size=two", "must be a whole number, not 'two'"),
        ("chunk_size=2.5", "whole number"),
        ("chunk_size=99999999999", "whole number"),
        ("chunk_size=0", "must be 1 or more"),
        ("chunk_size=10", "must be 9 or less"),
        ("fps=fast", "must be a number"),
        ("fps=nan", "must be a number"),
        ("has_previews=perhaps", "true or false"),
        ("chunksize=2", "did you mean 'chunk_size'"),
        ("colour=red", "it has: frames, chunk_size"),
        ("chunk_size", "KEY=VALUE"),
    ],
)
def test_a_wrong_setting_is_named(flamenco, render, blend, asked, pair, words):
    outcome = flamenco("submit", blend, "--set", pair)
    assert outcome.code == 1
    assert words in outcome.err
    assert render.told == []


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("chunk_size=3", 3),
        ("fps=23.976", 23.976),
        ("has_previews=YES", True),
        ("has_previews=0", False),
        ("format=a=b", "a=b"),
        ("format=", ""),
        ("render_output_root={renders}/x", "{renders}/x"),
        ("render_output_root=R:\\out", "R:/out"),
        ("render_output_root=/abs/out", "/abs/out"),
    ],
)
def test_a_setting_gets_the_declared_type(flamenco, render, blend, asked, pair, value):
    assert flamenco("submit", blend, "--set", pair).code == 0
    key = pair.partition("=")[0]
    found = submitted(render)["settings"][key]
    assert (found, type(found)) == (value, type(value))


def test_relative_paths_become_those_that_workers_find(flamenco, render, blend, asked, monkeypatch):
    monkeypatch.chdir(blend.parent)
    flamenco("submit", "shot_010.blend", "--set", "render_output_root=out")
    settings = submitted(render)["settings"]
    assert settings["blendfile"] == blend.as_posix()
    assert settings["render_output_root"] == (blend.parent / "out").as_posix()
    flamenco("submit", blend, "--set", "render_output_root=//beside")
    assert submitted(render)["settings"]["render_output_root"] == f"{blend.parent}/beside"


def test_a_choice_is_one_of_the_choices(flamenco, farm, blend):
    choice = {"key": "engine", "type": "string", "choices": ["cycles", "eevee"]}
    farm.add_job_type("choosy", choice)
    assert flamenco("submit", blend, "--type", "choosy", "--set", "engine=cycles").code == 0
    outcome = flamenco("submit", blend, "--type", "choosy", "--set", "engine=povray")
    assert "cycles, eevee" in outcome.err


def test_an_unknown_job_type_lists_those_there_are(flamenco, render, blend):
    outcome = flamenco("submit", blend, "--type", "simple")
    assert outcome.code == 1
    assert "it has: simple-blender-render" in outcome.err


def test_an_unknown_tag_lists_those_there_are(flamenco, render, blend, asked):
    render.tags = [{"id": "t1", "name": "gpu"}]
    outcome = flamenco("submit", blend, "--tag", "cpu")
    assert outcome.code == 1
    assert "gpu" in outcome.err


def test_frames_of_a_job_type_without_frames_are_refused(flamenco, farm, blend):
    farm.add_job_type("echo")
    outcome = flamenco("submit", blend, "--type", "echo", "--frames", "1-2")
    assert outcome.code == 1
    assert "--frames" in outcome.err


@pytest.mark.parametrize("args", [["missing.blend"], ["."], []])
def test_a_missing_file_is_a_wrong_command_line(flamenco, args):
    assert flamenco("submit", *args).code == 2


@pytest.mark.parametrize("priority", ["-1", "101", "high"])
def test_a_wrong_priority_is_a_wrong_command_line(flamenco, render, blend, priority):
    assert flamenco("submit", blend, "--priority", priority).code == 2


def test_waiting_ends_with_the_job(flamenco, render, blend, asked):
    def time_passes(path):
        for job in render.jobs.values():
            job["steps_total"] = 4
            job["steps_completed"] = min(4, job["steps_completed"] + 1)
            job["status"] = "completed" if job["steps_completed"] == 4 else "active"

    render.after = time_passes
    outcome = flamenco("submit", blend, "--wait")
    assert outcome.code == 0
    assert "completed 4/4 steps" in outcome.err


def test_waiting_for_a_failed_job_shows_the_task_and_its_log(flamenco, render, blend, asked, facts):
    def time_passes(path):
        for job in render.jobs.values():
            job["status"] = "failed"
            render.tasks[job["id"]] = [facts.task(status="failed", activity="exit code 1")]
        render.logs[facts.TASK] = b"Error: no camera\n"

    render.after = time_passes
    outcome = flamenco("submit", blend, "--wait")
    assert outcome.code == 1
    assert "render-1-2" in outcome.err
    assert "exit code 1" in outcome.err
    assert "Error: no camera" in outcome.err


def test_waiting_for_a_canceled_job_fails(flamenco, render, blend, asked):
    render.after = lambda path: [job.update(status="canceled") for job in render.jobs.values()]
    assert flamenco("submit", blend, "--wait").code == 1


# -- asking a program that answers as Blender does


VERSION = "if EXPR == '--version': print('Blender 5.0'); sys.exit()"


def program(folder, body):
    """Write a program that is started like Blender; *body* sees the expression as EXPR."""
    file = folder / "blender"
    text = f"#!{sys.executable}\nimport sys, json\nEXPR = sys.argv[-1]\n{VERSION}\n{body}\n"
    file.write_text(text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


FAKE_BPY = """
import types
bpy = types.ModuleType("bpy")
scene = types.SimpleNamespace(frame_start=1, frame_end=8, name="Main")
bpy.context = types.SimpleNamespace(scene=scene)
bpy.data = types.SimpleNamespace(filepath="/farm/shots/010/a.blend")
bpy.path = types.SimpleNamespace(abspath=lambda p: p)
sys.modules["bpy"] = bpy
print("Blender 5.0")
exec(EXPR)
"""


def ask(folder, body, *expressions, settings=None):
    found = asking.find_blender(program(folder, body))
    return asking.evaluate(
        found, folder / "a.blend", expressions, settings=settings or {}, job_name="it's"
    )


def test_expressions_see_what_the_add_on_gives_them(tmp_path):
    found = ask(
        tmp_path,
        FAKE_BPY,
        ("frames", "f'{C.scene.frame_start}-{C.scene.frame_end}'"),
        ("path", "Path(abspath(settings.root), last_n_dir_parts(2), jobname, '######')"),
        ("again", "settings.frames"),
        ("flag", "bpy.context.scene.frame_end == 8"),
        settings={"root": "/r"},
    )
    path = "/r/shots/010/it's/######"
    assert found == {"frames": "1-8", "path": path, "again": "1-8", "flag": True}


def test_a_failing_expression_is_named(tmp_path):
    with pytest.raises(asking.FlamencoError, match=r"'fps' \(AttributeError.*--set fps=VALUE"):
        ask(tmp_path, FAKE_BPY, ("fps", "C.scene.nothing"))


def test_a_file_that_blender_cannot_read_is_named_with_its_words(tmp_path):
    body = "print('Error: not a blend file'); sys.exit(1)"
    with pytest.raises(asking.FlamencoError, match=r"a\.blend.*exit code 1.*not a blend file"):
        ask(tmp_path, body, ("fps", "1"))


def test_a_blender_that_is_not_there_is_named(tmp_path):
    with pytest.raises(asking.FlamencoError, match="--blender"):
        asking.find_blender(str(tmp_path / "nothing"))


def test_a_program_that_is_no_blender_is_named(tmp_path):
    with pytest.raises(asking.FlamencoError, match="does not answer --version"):
        asking.find_blender(sys.executable)


def test_a_blender_that_does_not_start_is_named(tmp_path):
    with pytest.raises(asking.FlamencoError, match="cannot run Blender"):
        asking.evaluate([str(tmp_path)], tmp_path, [], settings={}, job_name="")


def test_the_request_survives_quotes_and_other_scripts(tmp_path):
    settings = {"root": "a'b\"c\\d\n\u00e9\u4e2d"}
    found = ask(tmp_path, FAKE_BPY, ("x", "settings.root"), settings=settings)
    assert found == {"x": settings["root"]}
    assert json.dumps(found)
