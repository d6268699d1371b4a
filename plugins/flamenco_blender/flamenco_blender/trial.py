"""The trial ``blender``: one tiny picture, rendered for real."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flamenco_core import FlamencoError
from flamenco_core.offers import CommandToRun, Trial

__all__ = ["TRIAL"]

PICTURE = "render-0001.png"
# A text and no file: whoever can write to the storage must not be able to change what runs.
SCENE = (
    "import bpy; s = bpy.context.scene; r = s.render; r.engine = 'CYCLES';"
    " r.resolution_x = 128; r.resolution_y = 72; r.resolution_percentage = 100;"
    " s.cycles.device = 'CPU'; s.cycles.samples = 4; s.cycles.use_denoising = False;"
    " r.image_settings.file_format = 'PNG'"
)


def _commands(folder: str) -> Sequence[CommandToRun]:
    return [
        CommandToRun(
            name="blender-render",
            parameters={
                "exe": "{blender}",
                "exeArgs": "{blenderArgs}",
                "argsBefore": ["--factory-startup", "--python-exit-code", "1"],
                # None: the scene that Blender brings along will do.
                "blendfile": "",
                "args": [
                    *("--python-expr", SCENE),
                    *("--render-output", f"{folder}/render-####", "--render-frame", "1"),
                ],
            },
            total_step_count=1,
        )
    ]


def _prove(folder: Path) -> str:
    picture = folder / PICTURE
    if not picture.is_file():
        raise FlamencoError(
            f"Blender ended well, but there is no picture {picture}; is that folder the same"
            " one for the worker?"
        )
    return f"rendered a picture of {picture.stat().st_size} bytes"


TRIAL = Trial(
    name="blender",
    task_type="blender",
    commands=_commands,
    prove=_prove,
    version=r"\bBlender (\d+\.\d+[^\s(]*)",
    picture=PICTURE,
)
