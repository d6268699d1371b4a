from __future__ import annotations

import pytest
from flamenco_blender import worker
from flamenco_blender.command import BlenderRender

from flamenco_core import CommandError
from flamenco_core.testing import CommandContract

FRAME = "Fra:{0} Mem:1M | Sample 1/2\nFra:{0} Mem:1M | Sample 2/2\nSaved: '/x/{0}.png'\n"
FRAMES = "".join((FRAME + "Time: 00:01.00 (Saving: 00:00.10)\n\n").format(n) for n in (7, 8))


class TestContract(CommandContract):
    command = BlenderRender
    parameters = {
        "exe": "/opt/blender/blender",
        "exeArgs": "-b -y",
        "argsBefore": ["-t", 2],
        "blendfile": "/x/shot.blend",
        "args": ["-f", "1..3"],
    }


@pytest.fixture
def render(run_command):
    async def run(exe: str, settings=None, **given):
        parameters = {"exe": exe, "blendfile": "/x/shot.blend", **given}
        return await run_command("blender-render", parameters, [worker], settings=settings)

    return run


def argv_of(record) -> list[str]:
    return next(line for line in record.lines if line.startswith("argv|")).split("|")[1:]


async def test_the_command_line_is_put_together_in_order(render, fake_blender):
    record = await render(
        fake_blender(),
        exeArgs="-b -y --x 'a b' c#d # a comment",
        argsBefore=["-t", 2, True],
        args=["-f", 24, 23.976, 25.0, ""],
    )
    assert argv_of(record) == [
        *("-b", "-y", "--x", "a b", "c#d", "-t", "2", "true"),
        *("/x/shot.blend", "-f", "24", "23.976", "25", ""),
    ]


async def test_an_empty_blend_file_is_left_out(render, fake_blender):
    assert argv_of(await render(fake_blender(), blendfile="", args=["-P", "x"])) == ["-P", "x"]


async def test_each_frame_is_one_step_one_file_and_one_activity(render, fake_blender):
    record = await render(fake_blender(FRAMES))
    assert record.steps == 2
    assert record.outputs == ["/x/7.png", "/x/8.png"]
    assert record.activities == ["Frame 7", "Frame 8"]


async def test_frames_that_are_there_already_are_steps(render, fake_blender):
    record = await render(fake_blender('skipping existing frame "/x/7.png"\n' * 3))
    assert (record.steps, record.outputs) == (3, [])


async def test_several_files_of_a_frame_are_one_step(render, fake_blender):
    views = "Saved: '/x/1_L.exr'\nSaved: '/x/1_R.exr'\n Time: 00:01.00 (Saving: 00:00.10)\n"
    record = await render(fake_blender(views))
    assert (record.steps, len(record.outputs)) == (1, 2)


async def test_a_job_that_renders_nothing_is_fine_without_signs_of_trouble(render, fake_blender):
    assert (await render(fake_blender("doing things\nBlender quit"))).steps == 0


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("Error: Cannot render, no camera", "the scene has no camera"),
        ("Error: Cannot read file '/x/shot.blend': gone", "cannot open '/x/shot.blend': gone"),
        ('Error: File format is not supported in file "/x/shot.blend"', "not a blend file"),
        (FRAMES + "Error: Render error (full) cannot save: '/x/9.png'", "cannot save /x/9.png"),
        ("Error: not a number '-f / --render-frame q'.", "not a number"),
    ],
)
async def test_an_exit_code_of_zero_hides_no_failure(render, fake_blender, says, reason):
    with pytest.raises(CommandError, match=reason):
        await render(fake_blender(says))


@pytest.mark.parametrize(
    "says",
    [
        # A second scene without a camera; a library that a script does without.
        FRAMES + "Error: Cannot render, no camera",
        "Error: Cannot read file '/lib/other.blend': gone",
        "Error: something that nobody needs",
    ],
)
async def test_unsure_signs_fail_nothing(render, fake_blender, says):
    await render(fake_blender(says))


async def test_rendering_the_wrong_scene_is_stopped_at_once(render, fake_blender):
    says = "Can't find scene: 'Shot' in file: '/x/shot.blend'"
    with pytest.raises(CommandError, match="there is no scene 'Shot'"):
        await render(fake_blender(says), args=["--hang"])


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("Error: Cannot read file '/x/shot.blend': gone", "code 1: cannot open"),
        ("Error: script failed\nValueError: no rig", "code 1: ValueError: no rig"),
        ("", "code 1$"),
    ],
)
async def test_a_failure_comes_with_blenders_reason(render, fake_blender, says, reason):
    with pytest.raises(CommandError, match=reason):
        await render(fake_blender(says, code=1))


async def test_a_task_that_says_blender_gets_the_one_of_the_settings(render, fake_blender):
    mine = fake_blender(FRAMES, name="mine")
    record = await render("blender", settings={"plugins": {"blender": {"exe": mine}}})
    assert record.steps == 2


async def test_a_blender_by_path_that_is_not_there_is_named(render):
    with pytest.raises(CommandError, match="/no/such/blender"):
        await render("/no/such/blender")


async def test_without_any_blender_the_error_says_how_to_get_one(render, monkeypatch):
    monkeypatch.setenv("PATH", "")
    settings = {"plugins": {"blender": {"exe": "/no/such/blender"}}}
    with pytest.raises(CommandError, match=r"no Blender on this machine.*pip install"):
        await render("blender", settings=settings)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"exe": " "}, 'parameter "exe" must not be empty'),
        ({"exe": 3}, 'parameter "exe" .*must be a text'),
        ({"blendfile": None}, 'parameter "blendfile"'),
        ({"args": "-f 1"}, 'parameter "args" .*must be a list'),
        ({"exeArgs": 'say "hi'}, 'parameter "exeArgs" .*not closed'),
        ({"exeargs": ""}, 'there is no parameter "exeargs"'),
    ],
)
async def test_wrong_parameters_are_named(render, wrong, message):
    with pytest.raises(CommandError, match=message):
        await render(**{"exe": "blender", **wrong})


async def test_the_blend_file_must_be_mentioned(run_command):
    with pytest.raises(CommandError, match='mandatory parameter "blendfile" is missing'):
        await run_command("blender-render", {"exe": "blender"}, [worker])
