from pathlib import Path

import pytest

from flamenco_core import JobTypeError
from flamenco_core.testing import JobTypeContract, compile_job

SCRIPT = Path(__file__).with_name("contact_sheet.js")
SETTINGS = {"blendfile": "/shots/010.blend", "frames": "1-6", "folder": "/renders"}


async def test_the_sheet_comes_after_all_frames() -> None:
    job = await compile_job(SCRIPT, SETTINGS)
    assert job.names == ["render-1-4", "render-5,6", "sheet"]
    assert job.task("sheet").after == ("render-1-4", "render-5,6")
    assert job.task("render-1-4").command("blender-render")["args"][-1] == "1-4"


async def test_frames_can_be_rendered_one_by_one() -> None:
    job = await compile_job(SCRIPT, {**SETTINGS, "frames": "1,2", "chunk_size": 1})
    assert len(job.of_type("blender")) == 2
    assert str(job).splitlines()[-2:] == [
        "sheet [misc] after render-1, render-2",
        '  echo message="sheet of 1,2"',
    ]


async def test_too_many_frames_are_refused() -> None:
    with pytest.raises(JobTypeError, match=r"room for 100 frames \(contact_sheet\.js:18:"):
        await compile_job(SCRIPT, {**SETTINGS, "frames": "1-101"})


class TestContract(JobTypeContract):
    """What holds for every job type."""

    job_type = SCRIPT
    settings = SETTINGS
