"""Where Blender lives; the only module here that knows the platforms."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

__all__ = ["PROGRAM", "is_plain_blender", "on_path", "program_in", "usual_places"]

_PROGRAMS = {"win32": "blender.exe", "darwin": "Blender"}

PROGRAM = _PROGRAMS.get(sys.platform, "blender")
"""Name of the program file on this platform."""

# Folders and patterns in them; the newest version of each pattern comes first.
_PATTERNS: dict[str, tuple[tuple[str, str], ...]] = {
    "win32": (
        ("C:/Program Files/Blender Foundation", "Blender*/blender.exe"),
        ("C:/Program Files (x86)/Steam/steamapps/common", "Blender/blender.exe"),
    ),
    "darwin": (
        ("/Applications", "Blender*.app/Contents/MacOS/Blender"),
        ("~/Applications", "Blender*.app/Contents/MacOS/Blender"),
    ),
    "linux": (
        ("/opt", "blender*/blender"),
        ("/usr/local", "blender*/blender"),
        ("~", "blender*/blender"),
        ("/snap/bin", "blender"),
        ("/var/lib/flatpak/exports/bin", "org.blender.Blender"),
    ),
}


def usual_places(platform: str = sys.platform) -> list[str]:
    """Return the Blenders at the usual places of a platform, newest first."""
    found: list[str] = []
    for folder, pattern in _PATTERNS.get(platform, ()):
        found += newest_first(Path(folder).expanduser().glob(pattern))
    return found


def newest_first(programs: Iterable[Path]) -> list[str]:
    """Sort paths by the numbers in them: ``blender-4.10`` is newer than ``blender-4.9``."""
    return sorted((str(program) for program in programs), key=_numbers_in, reverse=True)


def _numbers_in(text: str) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r"\d+", text)], text


def program_in(given: str) -> str:
    """Return the program that a setting means: a path, a folder, a Mac bundle, a name."""
    path = Path(given).expanduser()
    for inside in (PROGRAM, "blender", f"Contents/MacOS/{PROGRAM}"):
        if (path / inside).is_file():
            return str(path / inside)
    return str(path) if path.name != given else given


def on_path(name: str, path: str) -> str | None:
    """Return the program *name* in the folders of *path*, or `None`."""
    return shutil.which(name, path=path)


def is_plain_blender(exe: str) -> bool:
    """Say whether a task asks for whatever Blender there is, instead of one by path."""
    return exe.lower() in ("blender", "blender.exe")
