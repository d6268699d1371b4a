from __future__ import annotations

from pathlib import Path

import pytest

from flamenco_core.errors import FlamencoError

ASK = {"given": "", "host": None}


async def test_the_example_finds_a_program_of_the_studio(load, example, tmp_path: Path) -> None:
    module = example("find_program")
    module.FOLDER = tmp_path
    plugins = load("worker", module)
    assert await plugins.find("find_program", name="blender", **ASK) is None
    program = tmp_path / "blender" / "blender"
    program.parent.mkdir()
    program.touch()
    assert await plugins.find("find_program", name="blender", **ASK) == [str(program)]


async def test_what_was_given_but_is_none_is_an_error_for_the_caller(load, implementing) -> None:
    def refuse(given: str) -> None:
        raise FlamencoError(f"{given} does not answer")

    plugins = load("worker", implementing("strict", find_program=refuse))
    with pytest.raises(FlamencoError, match="old-blender does not answer"):
        await plugins.find("find_program", name="blender", given="old-blender", host=None)


async def test_blender_and_ffmpeg_leave_other_programs_alone(load) -> None:
    from flamenco_blender import worker as blender
    from flamenco_ffmpeg import worker as ffmpeg

    plugins = load("worker", blender, ffmpeg)
    assert await plugins.find("find_program", name="houdini", **ASK) is None
