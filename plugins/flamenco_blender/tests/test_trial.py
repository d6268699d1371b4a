from __future__ import annotations

import re
from pathlib import Path

import pytest
from flamenco_blender import manager, worker
from flamenco_blender.trial import PICTURE, TRIAL
from PIL import Image

from flamenco_core import FlamencoError


def test_both_sides_offer_it() -> None:
    assert manager.register_trials() == worker.register_trials() == [TRIAL]


@pytest.mark.blender
async def test_a_real_blender_passes_it(blender, run_command, tmp_path: Path) -> None:
    (command,) = TRIAL.commands(str(tmp_path))
    given = {"exe": "blender", "exeArgs": "-b -y"}
    record = await run_command(command.name, {**command.parameters, **given}, [worker])
    assert TRIAL.prove(tmp_path).startswith("rendered a picture")
    assert re.search(TRIAL.version, "\n".join(record.lines))
    assert record.outputs == [str(tmp_path / PICTURE)]
    with Image.open(tmp_path / PICTURE) as image:
        assert image.size == (128, 72)
        assert len(image.convert("RGB").getcolors(10_000) or ()) > 10  # not just one color


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("pid=12 > Blender 4.2.3 LTS (hash 0e22e4fcea03 built 2024-10-14)", "4.2.3"),
        ("Blender 5.0.1", "5.0.1"),
    ],
)
def test_the_first_line_tells_the_version(line: str, version: str) -> None:
    assert re.search(TRIAL.version, line)[1] == version


def test_no_picture_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(FlamencoError, match="the same one for the worker"):
        TRIAL.prove(tmp_path)
