"""Find the frames of a video, and write them down for FFmpeg."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from flamenco_core import CommandError

__all__ = ["find_frames", "index_of", "kind_of", "natural"]

_SAME_KIND = {".jpeg": ".jpg", ".tiff": ".tif"}


def find_frames(pattern: str) -> list[Path]:
    """Return the files that *pattern* matches, in the order of the numbers in their names.

    Raises `CommandError` if there are none, or if some are empty.
    """
    frames = sorted(_matching(pattern.replace("\\", "/")), key=lambda path: natural(path.name))
    if not frames:
        raise CommandError(f"no frames found: no file matches {pattern}")
    if empty := [frame.name for frame in frames if frame.stat().st_size == 0]:
        shown = ", ".join(empty[:5]) + (" ..." if len(empty) > 5 else "")
        raise CommandError(f"{len(empty)} frames are empty files, render them again: {shown}")
    return frames


def natural(name: str) -> list[tuple[int, str]]:
    """Return a key to sort by: ``frame2`` comes before ``frame10``."""
    parts = re.split(r"(\d+)", name.lower())
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def kind_of(frame: Path) -> str:
    """Return what sort of image a file is, by its extension."""
    extension = frame.suffix.lower()
    return _SAME_KIND.get(extension, extension)


def index_of(frames: Iterable[Path], fps: float) -> str:
    """Return the text of a list of files for FFmpeg's ``concat`` input.

    Each frame has its duration: without one, FFmpeg guesses, and warns of each guess.
    """
    lines = ["ffconcat version 1.0"]
    for frame in frames:
        lines += [f"file {_quoted(frame)}", f"duration {1 / fps:.9f}"]
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    text = path.absolute().as_posix()
    if "\n" in text or "\r" in text:
        raise CommandError(f"FFmpeg cannot read a file with a line break in its name: {text!r}")
    # Inside quotes nothing is special, so a quote has to be outside of them.
    return "'" + text.replace("'", r"'\''") + "'"


def _matching(pattern: str) -> Sequence[Path]:
    folder, slash, name = pattern.rpartition("/")
    parent = Path(folder + slash)
    if parent.is_dir():
        # A folder that exists is meant as it is written, brackets and all.
        return [path for path in parent.iterdir() if _is_frame(path, name)]
    return [Path(found) for found in glob.glob(pattern) if Path(found).is_file()]  # noqa: PTH207


def _is_frame(path: Path, pattern: str) -> bool:
    hidden = path.name.startswith(".") and not pattern.startswith(".")
    return not hidden and fnmatchcase(path.name.lower(), pattern.lower()) and path.is_file()
