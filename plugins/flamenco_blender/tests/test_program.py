"""Both sides of a farm find Blender in the same way, when they are asked for it by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from flamenco_blender import manager, worker

from flamenco_core import FlamencoError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are scripts here")


@pytest.fixture
def blender(tmp_path: Path) -> str:
    program = tmp_path / "blender"
    program.write_text("#!/bin/sh\necho Blender 5.1.0\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("side", [manager, worker])
async def test_it_is_found_by_both_sides(side, blender: str, monkeypatch) -> None:
    monkeypatch.setenv("FLAMENCO_BLENDER", blender)
    assert await side.find_program(name="blender", given="") == (blender,)


async def test_other_programs_are_for_others_to_find() -> None:
    assert await manager.find_program(name="houdini", given="") is None


async def test_a_named_one_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FlamencoError, match="does not answer"):
        await manager.find_program(name="blender", given=str(tmp_path / "blender"))
