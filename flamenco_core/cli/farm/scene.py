"""The film of the demo: Blender makes it when it is needed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from flamenco_core.cli.farm.children import clean_environment
from flamenco_core.cli.from_plugins import find_program
from flamenco_core.cli.submission.blender import find_blender
from flamenco_core.errors import FlamencoError

__all__ = ["build_scene", "needed_blender", "needed_ffmpeg"]

_PATIENCE = 300.0


def needed_blender() -> list[str]:
    """Return how to start Blender; raises `FlamencoError` with the cure."""
    if found := find_blender():
        return found
    raise FlamencoError(
        "there is no Blender on this machine; install it, name it in FLAMENCO_BLENDER,"
        " or pip install 'flamenco-blender[bpy]'"
    )


def needed_ffmpeg() -> None:
    """Raise `FlamencoError`, with the cure, unless the video can be made here."""
    if find_program("ffmpeg"):
        return
    raise FlamencoError(
        "there is no FFmpeg on this machine; install it, or pip install 'flamenco-ffmpeg[bundled]'"
    )


def build_scene(blender: Sequence[str], file: Path) -> None:
    """Let Blender write the sample scene to *file*; its output goes to a log beside it."""
    script = _script()
    options = ["--background", "--factory-startup", "--python-exit-code", "1"]
    log = file.with_suffix(".log")
    with log.open("wb") as output:
        done = subprocess.run(
            [*blender, *options, "--python", str(script), "--", str(file)],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE,
            env=clean_environment(),
        )
    if done.returncode or not file.is_file():
        last = log.read_text("utf-8", errors="replace").splitlines()[-5:]
        raise FlamencoError(
            f"Blender could not make the scene (exit code {done.returncode});"
            f" the end of {log}: {' / '.join(last)}"
        )


def _script() -> Path:
    spec = find_spec("flamenco_blender")
    if spec is None or not spec.submodule_search_locations:
        raise FlamencoError("the demo needs a plugin; pip install flamenco-blender")
    return Path(next(iter(spec.submodule_search_locations))) / "demo_scene.py"
