"""The job type ``single-image-render``: many workers render one picture.

The picture is cut into tiles, one task each. They are saved as floats, before any view
transform, and a last task puts them together and saves the picture as Blender would have.
"""

from __future__ import annotations

import functools
import re
from importlib.resources import files
from pathlib import PurePosixPath

import attrs

from flamenco_blender.render_settings import (
    AUTO_PATH_PARTS,
    VIDEO_FORMATS,
    base_command,
    final_path,
    need,
    refuse_formats,
)
from flamenco_core import Author, JobType, JobTypeError, setting

__all__ = ["SingleImageRender", "numbered"]

_REFUSED = VIDEO_FORMATS | {"MULTILAYER", "OPEN_EXR_MULTILAYER"}
_MOST_TILES = 1024


@attrs.frozen(kw_only=True)
class SingleImageRender(JobType):
    """Render one frame in tiles on many workers, and put them together."""

    name = "single-image-render"
    label = "Single Image Render"

    frame: int = setting(
        required=True,
        description="The frame to render",
        eval="C.scene.frame_current",
        eval_info={"showLinkButton": True, "description": "Current frame"},
    )
    tile_columns: int = setting(
        3,
        visible="submission",
        propargs={"min": 1, "max": 32},
        description="How many tiles there are from left to right",
    )
    tile_rows: int = setting(
        2,
        visible="submission",
        propargs={"min": 1, "max": 32},
        description="How many tiles there are from bottom to top",
    )
    render_output_root: str = need(
        subtype="dir_path",
        visible="submission",
        description="Folder for the renders of all jobs; each job gets a folder in it",
    )
    add_path_components: int = setting(
        0,
        required=True,
        visible="submission",
        propargs={"min": 0, "max": 32},
        description="How many folders above the blend file to repeat in the output path",
    )
    render_output_path: str = setting(
        None,
        subtype="file_path",
        editable=False,
        eval=f"str(Path({AUTO_PATH_PARTS}, 'image-######'))",
        description="Where the picture goes",
    )
    blendfile: str = setting(required=True, visible="web", description="The file to render")
    format: str = setting(
        required=True, visible="web", eval="C.scene.render.image_settings.file_format"
    )
    image_file_extension: str = setting(
        required=True, visible="hidden", eval="C.scene.render.file_extension"
    )
    scene: str = need(visible="web", eval="C.scene.name", description="The scene to render")

    def author(self, author: Author) -> None:
        """Write a task for each tile, and one that puts them together."""
        refuse_formats(self.label, self.format, _REFUSED)
        self._check_numbers()
        output = final_path(author, self.render_output_path)
        tiles = output.parent / "tiles" / numbered(output.name, self.frame)
        drafts = [
            author.task(f"tile-{row + 1}-{column + 1}", "blender").command(
                "blender-render", self._tile(tiles, column, row), steps=1
            )
            for row in range(self.tile_rows)
            for column in range(self.tile_columns)
        ]
        merge = author.task("merge", "blender").after(*drafts)
        merge.command("blender-render", self._merge(tiles, output))

    def _check_numbers(self) -> None:
        for key in ("tile_columns", "tile_rows"):
            if getattr(self, key) < 1:
                raise JobTypeError(f"{key} must be at least 1")
        if self.tile_columns * self.tile_rows > _MOST_TILES:
            raise JobTypeError(f"more than {_MOST_TILES} tiles: use fewer columns or rows")
        if self.frame < 0:
            raise JobTypeError("frame must not be negative")

    def _tile(self, tiles: PurePosixPath, column: int, row: int) -> dict[str, object]:
        call = f"prepare_tile({self.tile_columns}, {self.tile_rows}, {column}, {row})"
        return base_command(
            self.blendfile,
            self.scene,
            *_script(call),
            *("--render-output", f"{tiles}-r{row + 1}c{column + 1}-######"),
            *("--render-frame", str(self.frame)),
        )

    def _merge(self, tiles: PurePosixPath, output: PurePosixPath) -> dict[str, object]:
        picture = output.parent / f"{numbered(output.name, self.frame)}{self.image_file_extension}"
        return base_command(
            self.blendfile,
            self.scene,
            *("--render-format", self.format),
            *_script(f"merge({self.tile_columns}, {self.tile_rows}, {self.frame})"),
            # Behind "--", and not in the script: a path is no Python text.
            *("--", str(tiles), str(picture)),
        )


def numbered(name: str, frame: int) -> str:
    """Put a frame number where the ``#`` are, or at the end as Blender does."""
    text, count = re.subn("#+", lambda found: f"{frame:0{len(found[0])}d}", name, count=1)
    return text if count else f"{name}{frame:04d}"


def _script(call: str) -> tuple[str, ...]:
    return ("--python-exit-code", "1", "--python-expr", f"{_source()}\n\n{call}\n")


@functools.cache
def _source() -> str:
    """Return the script that goes to Blender; the worker need not have this plugin."""
    return files("flamenco_blender").joinpath("tiles_in_blender.py").read_text("utf-8")
