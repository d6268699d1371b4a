from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest
from flamenco_blender import manager
from flamenco_blender.simple_blender_render import SimpleBlenderRender

from flamenco_core import JobTypeError, Submission

SETTINGS = {
    "frames": "1-10",
    "chunk_size": 4,
    "render_output_root": "/renders",
    "add_path_components": 0,
    "render_output_path": "/renders/shot/{timestamp}/######",
    "blendfile": "{jobs}/a/shot.flamenco.blend",
    "fps": 24,
    "format": "PNG",
    "image_file_extension": ".png",
    "has_previews": False,
    "scene": "Shot",
}
CREATED = 1_774_000_000_000_000


def compiling(**changes):
    settings = {k: v for k, v in {**SETTINGS, **changes}.items() if v is not ...}
    return SimpleBlenderRender.offered().compile(
        Submission(
            job_id="j",
            name="Job",
            type="simple-blender-render",
            priority=50,
            created=CREATED,
            settings=settings,
        )
    )


def options(task) -> dict[str, object]:
    args = task.commands[0].parameters["args"]
    return dict(zip(args[::2], args[1::2], strict=True))


async def test_each_chunk_is_a_task_and_the_video_waits_for_all():
    job = await compiling()
    assert [task.name for task in job.tasks] == [
        "render-1-4",
        "render-5-8",
        "render-9,10",
        "preview-video",
    ]
    assert [task.type for task in job.tasks] == ["blender"] * 3 + ["ffmpeg"]
    assert [task.parents for task in job.tasks] == [(), (), (), (0, 1, 2)]
    assert [task.steps_total for task in job.tasks] == [4, 4, 2, 1]


async def test_the_render_command_is_what_workers_of_flamenco_expect():
    (command,) = (await compiling()).tasks[0].commands
    assert command.name == "blender-render"
    args = command.parameters["args"]
    assert {**command.parameters, "args": ...} == {
        "exe": "{blender}",
        "exeArgs": "{blenderArgs}",
        "argsBefore": [],
        "blendfile": "{jobs}/a/shot.flamenco.blend",
        "args": ...,
    }
    assert args[::2] == [
        *("--scene", "--python-expr", "--render-output", "--render-format", "--render-frame"),
    ]
    assert args[1] == "Shot"
    assert args[7:] == ["PNG", "--render-frame", "1..4"]


async def test_a_task_that_runs_again_keeps_finished_frames():
    script = options((await compiling()).tasks[0])["--python-expr"]
    assert "\n" not in script
    assert "use_file_extension = True" in script
    assert "use_overwrite = False" in script
    assert "use_placeholder = False" in script


@pytest.fixture
async def prepare(monkeypatch, tmp_path):
    """Run what Blender runs before it renders; it writes to *tmp_path*."""
    script = options((await compiling()).tasks[0])["--python-expr"]
    scene = SimpleNamespace(render=SimpleNamespace())
    bpy = SimpleNamespace(context=SimpleNamespace(scene=scene))
    monkeypatch.setitem(sys.modules, "bpy", bpy)

    def prepare(frames: str, output: str = "######") -> None:
        argv = ["blender", "--render-output", f"{tmp_path}/{output}", "--render-frame", frames]
        monkeypatch.setattr(sys, "argv", argv)
        exec(script, {"__name__": "__main__"})

    return prepare


def written(folder: Path, *names: str) -> set[str]:
    """Write files, each a second after the one before it."""
    for second, name in enumerate(names):
        (folder / name).write_text("x")
        os.utime(folder / name, (second, second))
    return set(names)


async def test_the_frame_that_a_killed_run_was_saving_is_rendered_again(prepare, tmp_path):
    frames = written(tmp_path, "000001.png", "000002.png", "000009.png", "0000021.png")
    prepare("1..4,7")
    assert {file.name for file in tmp_path.iterdir()} == frames - {"000002.png"}


async def test_all_files_of_that_frame_are_made_again(prepare, tmp_path):
    names = ("000001.exr", "000001.jpg", "000002.exr", "000002.jpg", "000002_L.exr")
    written(tmp_path, *names)
    prepare("1..2")
    assert {file.name for file in tmp_path.iterdir()} == {"000001.exr", "000001.jpg"}


async def test_of_frames_of_the_same_moment_the_last_one_goes(prepare, tmp_path):
    for name in ("a[1]_0003.png", "a[1]_0004.png"):
        written(tmp_path, name)
    prepare("3..4", "a[1]_####")
    assert [file.name for file in tmp_path.iterdir()] == ["a[1]_0003.png"]


async def test_a_first_run_finds_nothing_to_remove(prepare, tmp_path):
    prepare("1")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("frames", "size", "chunks"),
    [
        ("1..10,20..25,40", 4, ["1..4", "5..8", "9,10,20,21", "22..25", "40"]),
        ("7", 10, ["7"]),
        ("3,1,2", 1, ["1", "2", "3"]),
        ("1-2", 5, ["1,2"]),
    ],
)
async def test_chunks_are_written_as_blender_reads_them(frames, size, chunks):
    renders = (await compiling(frames=frames, chunk_size=size)).tasks[:-1]
    assert [options(task)["--render-frame"] for task in renders] == chunks


async def test_the_output_path_gets_the_local_time_and_is_kept():
    job = await compiling()
    path = job.settings["render_output_path"]
    assert re.fullmatch(r"/renders/shot/\d{4}-\d\d-\d\d_\d{6}/######", path)
    assert options(job.tasks[0])["--render-output"] == path


async def test_the_time_is_that_of_the_submission_here(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Etc/GMT-2")
    time.tzset()
    try:
        job = await compiling(render_output_path="/{timestamp}/{timestamp}-#")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert job.settings["render_output_path"] == "/2026-03-20_114640/2026-03-20_114640-#"


async def test_variables_and_windows_paths_stay():
    job = await compiling(render_output_path="{render}\\shot\\######")
    assert job.settings["render_output_path"] == "{render}\\shot\\######"
    assert options(job.tasks[0])["--render-output"] == "{render}/shot/######"
    assert job.tasks[-1].commands[0].parameters["inputGlob"] == "{render}/shot/*.png"


@pytest.mark.parametrize("path", [..., "", None])
async def test_without_an_output_path_there_is_no_job(path):
    with pytest.raises(JobTypeError, match=r"render_output_path"):
        await compiling(render_output_path=path)


@pytest.mark.parametrize("scene", [..., ""])
async def test_without_a_scene_the_file_decides(scene):
    assert "--scene" not in options((await compiling(scene=scene)).tasks[0])


async def test_the_video_command_is_what_workers_of_flamenco_expect():
    (command,) = (await compiling(render_output_path="/r/x/######")).tasks[-1].commands
    assert command.name == "frames-to-video"
    assert command.steps == 0
    assert command.parameters == {
        "exe": "ffmpeg",
        "fps": 24,
        "inputGlob": "/r/x/*.png",
        "outputFile": "/r/x/shot-1-10.mp4",
        "args": [
            *("-c:v", "h264", "-crf", "20", "-g", "18"),
            *("-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-r", 24, "-y"),
        ],
    }


@pytest.mark.parametrize("fps", [24, 23.976])
async def test_the_frame_rate_stays_a_number(fps):
    parameters = (await compiling(fps=fps)).tasks[-1].commands[0].parameters
    assert parameters["args"][-2] == fps
    assert type(parameters["args"][-2]) is type(fps)


@pytest.mark.parametrize(
    ("frames", "name"),
    [
        ("1-10", "shot-1-10.mp4"),
        ("1..10", "shot-1..10.mp4"),
        ("20,3..5", "shot-3-20.mp4"),
        ("7", "shot-7.mp4"),
    ],
)
async def test_the_video_is_named_after_file_and_frames(frames, name):
    parameters = (await compiling(frames=frames)).tasks[-1].commands[0].parameters
    assert parameters["outputFile"].endswith("/" + name)


@pytest.mark.parametrize(
    "changes",
    [
        {"fps": 0},
        {"fps": ...},
        {"format": "OPEN_EXR"},
        {"format": "OPEN_EXR_MULTILAYER", "has_previews": False},
        {"format": "EXR", "has_previews": ...},
        {"format": "MULTILAYER"},
    ],
)
async def test_there_is_no_video_of_what_cannot_be_shown(changes):
    assert all(task.type == "blender" for task in (await compiling(**changes)).tasks)


async def test_the_video_of_exr_files_is_made_of_their_previews():
    job = await compiling(format="OPEN_EXR", image_file_extension=".exr", has_previews=True)
    assert job.tasks[-1].commands[0].parameters["inputGlob"].endswith("/*.jpg")


@pytest.mark.parametrize("format", ["FFMPEG", "AVI_RAW", "AVI_JPEG"])
async def test_video_formats_are_refused(format):
    with pytest.raises(JobTypeError, match=f"renders images, and not {format}"):
        await compiling(format=format)


@pytest.mark.parametrize("frames", ["", "a", "1 10", "1,,2", "-5", "1-2-3", "10-1"])
async def test_a_wrong_frame_range_is_named(frames):
    with pytest.raises(JobTypeError, match="frames: invalid range"):
        await compiling(frames=frames)


@pytest.mark.parametrize("size", [0, -1])
async def test_a_chunk_has_at_least_one_frame(size):
    with pytest.raises(JobTypeError, match="chunk size"):
        await compiling(chunk_size=size)


async def test_a_setting_of_the_wrong_type_is_named():
    with pytest.raises(JobTypeError, match="chunk_size"):
        await compiling(chunk_size="4")


async def test_settings_that_nobody_knows_are_kept():
    assert (await compiling(mine=1)).settings["mine"] == 1


def test_the_settings_are_those_that_the_add_on_knows():
    shown = {s.key: s for s in SimpleBlenderRender.offered().settings}
    rows = {key: (s.type, s.subtype, s.required, s.visible, s.default) for key, s in shown.items()}
    assert rows == {
        "frames": ("string", None, True, None, None),
        "chunk_size": ("int32", None, None, "submission", 1),
        "render_output_root": ("string", "dir_path", True, "submission", None),
        "add_path_components": ("int32", None, True, "submission", 0),
        "render_output_path": ("string", "file_path", None, None, None),
        "blendfile": ("string", None, True, "web", None),
        "fps": ("float", None, None, "hidden", None),
        "format": ("string", None, True, "web", None),
        "image_file_extension": ("string", None, True, "hidden", None),
        "has_previews": ("bool", None, False, "hidden", None),
        "scene": ("string", None, True, "web", None),
    }
    assert shown["render_output_path"].editable is False
    assert shown["add_path_components"].propargs == {"min": 0, "max": 32}
    assert shown["frames"].eval_info == {
        "showLinkButton": True,
        "description": "Scene frame range",
    }


def test_every_eval_is_an_expression():
    for job_type in manager.register_job_types():
        for one in job_type.offered().settings:
            if one.eval:
                compile(one.eval, one.key, "eval")


def test_both_job_types_are_offered():
    offered = manager.register_job_types()
    assert [t.name for t in offered] == ["simple-blender-render", "single-image-render"]
    assert all(attrs.has(t) for t in offered)
