from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from flamenco_blender.finder import BlenderFinder

FAKE = '''#!{python}
"""Prints what the test wants; --version and the exit code are its own."""
import sys, pathlib
args = sys.argv[1:]
if "--version" in args:
    print("Blender 4.2.0 fake")
    raise SystemExit
print("argv", *args, sep="|", flush=True)
for line in pathlib.Path(__file__).with_suffix(".says").read_text().splitlines():
    print(line, flush=True)
if "--hang" in args:
    sys.stdin = None
    import threading
    threading.Event().wait()
raise SystemExit({code})
'''


@pytest.fixture
def fake_blender(tmp_path: Path) -> Callable[..., str]:
    """Make a program that prints what a Blender would, and exits with a code."""

    def make(says: str = "", code: int = 0, name: str = "fake-blender") -> str:
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(FAKE.format(python=sys.executable, code=code))
        program.with_suffix(".says").write_text(says)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return str(program)

    return make


@pytest.fixture(scope="session")
def blender() -> list[str]:
    """The command line of a real Blender."""
    found = anyio.run(BlenderFinder().find)
    if found is None:
        pytest.skip("NO BLENDER: nothing was rendered; pip install 'flamenco-blender[bpy]'")
    return list(found.argv)


@pytest.fixture(scope="session")
def tiny_scene(blender: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small blend file, made by the Blender that will render it."""
    import subprocess

    folder = tmp_path_factory.mktemp("scene")
    script = folder / "make.py"
    script.write_text(
        "import bpy, sys\n"
        "scene = bpy.context.scene\n"
        "scene.render.engine = 'CYCLES'\n"
        "scene.cycles.device, scene.cycles.samples = 'CPU', 1\n"
        "scene.cycles.use_denoising = False\n"
        "scene.render.resolution_x, scene.render.resolution_y = 95, 53\n"
        "scene.frame_start, scene.frame_end = 1, 3\n"
        "scene.camera.keyframe_insert('location', frame=1)\n"
        "scene.camera.location.x += 2\n"
        "scene.camera.keyframe_insert('location', frame=3)\n"
        "bpy.data.scenes.new('Empty')\n"
        "bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])\n"
    )
    path = folder / "tiny.blend"
    argv = [*blender, "-b", "--factory-startup", "--python-exit-code", "3"]
    subprocess.run([*argv, "--python", str(script), "--", str(path)], check=True, timeout=120)
    return str(path)
