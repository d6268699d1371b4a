"""What the job types of this plugin have in common: settings, paths, refusals."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from flamenco_core import Author, JobTypeError, setting

__all__ = [
    "AUTO_PATH_PARTS",
    "VIDEO_FORMATS",
    "base_command",
    "blend_stem",
    "final_path",
    "need",
    "posix",
    "refuse_formats",
]

VIDEO_FORMATS = frozenset({"FFMPEG", "AVI_RAW", "AVI_JPEG"})
"""Formats that write one file for all frames; tasks would overwrite each other's."""

AUTO_PATH_PARTS = (
    "abspath(settings.render_output_root), last_n_dir_parts(settings.add_path_components), "
    "jobname, '{timestamp}'"
)
"""The folders of an output path, as an expression for the add-on."""


def need(**extra: Any) -> Any:
    """Declare a setting that clients must fill in, but that may be missing here.

    Flamenco's own Manager does not check either; `author` complains where it matters.
    """
    return setting(None, required=True, **extra)


def posix(path: str) -> PurePosixPath:
    """Read a path of any platform; Blender takes forward slashes on all of them."""
    return PurePosixPath(path.replace("\\", "/"))


def blend_stem(blendfile: str) -> str:
    """Return the name that a blend file has for people: ``shot.flamenco.blend`` is ``shot``."""
    return posix(blendfile).stem.replace(".flamenco", "", 1)


def final_path(author: Author, path: str | None) -> PurePosixPath:
    """Return where the job renders to, and keep it in the job's settings.

    ``{timestamp}`` becomes the local time of the submission; other variables stay.
    """
    if not path:
        raise JobTypeError("no render_output_path setting!")
    stamp = datetime.fromtimestamp(author.job.created / 1_000_000).strftime("%Y-%m-%d_%H%M%S")
    path = path.replace("{timestamp}", stamp)
    author.settings["render_output_path"] = path
    return posix(path)


def refuse_formats(label: str, format: str, refused: frozenset[str]) -> None:
    """Raise `JobTypeError` if the file format is one that the job type cannot make."""
    if format in refused:
        raise JobTypeError(
            f"{label} renders images, and not {format}: choose an image format, such as PNG, in"
            " Blender's output properties"
        )


def base_command(blendfile: str, scene: str | None, *args: object) -> dict[str, Any]:
    """Return the parameters of a ``blender-render`` command."""
    return {
        "exe": "{blender}",
        "exeArgs": "{blenderArgs}",
        "argsBefore": [],
        "blendfile": blendfile,
        "args": [*(("--scene", scene) if scene else ()), *args],
    }
