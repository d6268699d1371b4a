from __future__ import annotations

import pytest
from flamenco_blender import tiles_in_blender as tiles
from flamenco_blender.single_image_render import SingleImageRender, numbered

from flamenco_core import JobTypeError, Submission

SETTINGS = {
    "frame": 12,
    "tile_columns": 3,
    "tile_rows": 2,
    "render_output_root": "/renders",
    "render_output_path": "/renders/{timestamp}/image-####",
    "blendfile": "/x/shot.blend",
    "format": "PNG",
    "image_file_extension": ".png",
    "scene": "Shot",
}


def compiling(**changes):
    settings = {k: v for k, v in {**SETTINGS, **changes}.items() if v is not ...}
    return SingleImageRender.offered().compile(
        Submission(job_id="j", name="J", type="t", priority=50, created=0, settings=settings)
    )


def args_of(task) -> list[str]:
    return task.commands[0].parameters["args"]


async def test_each_tile_is_a_task_and_the_merge_waits_for_all():
    job = await compiling()
    assert [t.name for t in job.tasks] == [
        *("tile-1-1", "tile-1-2", "tile-1-3", "tile-2-1", "tile-2-2", "tile-2-3", "merge"),
    ]
    assert job.tasks[-1].parents == tuple(range(6))
    assert {t.type for t in job.tasks} == {"blender"}
    assert all(t.steps_total == 1 for t in job.tasks)


async def test_each_tile_gets_its_own_place_and_file():
    job = await compiling(render_output_path="/r/image-####")
    seen = [(args_of(t)[5].splitlines()[-1], args_of(t)[7]) for t in job.tasks[:-1]]
    assert seen[0] == ("prepare_tile(3, 2, 0, 0)", "/r/tiles/image-0012-r1c1-######")
    assert seen[5] == ("prepare_tile(3, 2, 2, 1)", "/r/tiles/image-0012-r2c3-######")
    assert args_of(job.tasks[0])[8:] == ["--render-frame", "12"]


async def test_the_merge_gets_its_paths_as_arguments():
    args = args_of((await compiling(render_output_path="/r/image-####")).tasks[-1])
    assert args[:4] == ["--scene", "Shot", "--render-format", "PNG"]
    assert args[-3:] == ["--", "/r/tiles/image-0012", "/r/image-0012.png"]
    assert args[-4].endswith("\nmerge(3, 2, 12)\n")


async def test_a_script_that_fails_fails_the_task():
    for task in (await compiling()).tasks:
        args = args_of(task)
        assert args.index("--python-exit-code") < args.index("--python-expr")


async def test_the_script_has_nothing_that_looks_like_a_variable():
    import re

    for task in (await compiling()).tasks:
        script = args_of(task)[args_of(task).index("--python-expr") + 1]
        assert not re.search(r"\{\w+\}", script)
        compile(script, "script", "exec")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tile_columns": 0}, "tile_columns must be at least 1"),
        ({"tile_rows": -1}, "tile_rows must be at least 1"),
        ({"tile_columns": 100, "tile_rows": 100}, "more than 1024 tiles"),
        ({"frame": -1}, "frame must not be negative"),
        ({"frame": ...}, "frame"),
        ({"frame": "12"}, "frame"),
        ({"format": "FFMPEG"}, "renders images, and not FFMPEG"),
        ({"format": "OPEN_EXR_MULTILAYER"}, "and not OPEN_EXR_MULTILAYER"),
        ({"render_output_path": ""}, "no render_output_path setting!"),
    ],
)
async def test_what_cannot_be_rendered_is_refused(changes, message):
    with pytest.raises(JobTypeError, match=message):
        await compiling(**changes)


@pytest.mark.parametrize(
    ("name", "result"),
    [("image-######", "image-000012"), ("a#b##", "a12b##"), ("image", "image0012"), ("#", "12")],
)
def test_frame_numbers_are_put_where_blender_puts_them(name, result):
    assert numbered(name, 12) == result


@pytest.mark.parametrize(("length", "count"), [(1920, 3), (95, 7), (53, 2), (5, 5), (3, 5)])
def test_pieces_cover_everything_once(length, count):
    spans = [tiles.cut(length, count, index) for index in range(count)]
    assert [pixel for start, end in spans for pixel in range(start, end)] == list(range(length))


def test_margins_stay_inside():
    assert tiles.both(100, 2, 0) == ((0, 50), (0, 66))
    assert tiles.both(100, 2, 1) == ((50, 100), (34, 100))
    assert tiles.both(10, 2, 0) == ((0, 5), (0, 10))
