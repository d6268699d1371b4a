"""The demo as a person runs it: real Manager, Worker, Blender and FFmpeg."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image, ImageChops, ImageStat

from flamenco_core.cli.farm.scene import needed_blender, needed_ffmpeg
from flamenco_core.errors import FlamencoError

pytestmark = [pytest.mark.e2e, pytest.mark.blender]

FLAMENCO = [sys.executable, "-m", "flamenco_core.cli"]


@pytest.fixture(autouse=True)
def programs():
    try:
        needed_blender()
        needed_ffmpeg()
    except FlamencoError as error:
        pytest.skip(str(error))


def demo(*more: object, **env: str) -> subprocess.CompletedProcess[str]:
    command = [*FLAMENCO, "demo", *map(str, more)]
    return subprocess.run(
        command, env=os.environ | env, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_demo_renders_every_frame_and_the_video(tmp_path):
    done = demo("--frames", "1-3", "--folder", tmp_path)
    assert done.returncode == 0, done.stderr
    frames = [*(tmp_path / "run-001" / "frames").rglob("*.png")]
    assert sorted(frame.name for frame in frames) == ["000001.png", "000002.png", "000003.png"]
    (video,) = (tmp_path / "run-001").rglob("*.mp4")
    assert_both_are_told(done.stdout, frames[0].parent, video)
    pictures = [picture(frame) for frame in sorted(frames)]
    assert_a_film(pictures)
    # The same three again, but for what compression costs.
    decoded = frames_of(video, tmp_path / "decoded")
    assert len(decoded) == 3
    for frame, shown in zip(pictures, decoded, strict=True):
        assert apart(frame, shown) < 8
    assert_nothing_runs(tmp_path)


def assert_both_are_told(text: str, frames: Path, video: Path) -> None:
    told = [Path(word) for word in text.split() if Path(word).is_absolute()]
    assert {frames, video} <= set(told)
    assert [path for path in told if not path.exists()] == []


def picture(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGB")


def apart(one: Image.Image, other: Image.Image) -> float:
    """Return how much two pictures differ: 0 is not at all, 255 is black and white."""
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def assert_a_film(pictures: list[Image.Image]) -> None:
    """Something is to be seen in each picture, and it moves."""
    (size,) = {image.size for image in pictures}
    assert min(size) > 100
    for image in pictures:
        gray = ImageStat.Stat(image.convert("L"))
        assert 10 < gray.mean[0] < 245
        assert gray.stddev[0] > 10
    for former, image in pairwise(pictures):
        assert apart(former, image) > 0.5


def frames_of(video: Path, folder: Path) -> list[Image.Image]:
    """Decode a video with the FFmpeg that comes in a package, whichever made it."""
    folder.mkdir()
    command = [get_ffmpeg_exe(), "-v", "error", "-xerror", "-i", str(video)]
    subprocess.run([*command, str(folder / "%03d.png")], check=True, timeout=60)
    return [picture(file) for file in sorted(folder.iterdir())]


def a_blender(folder: Path, *lines: str) -> str:
    """Write a Blender of shell lines; return the value of FLAMENCO_BLENDER."""
    program = folder / "blender"
    answer = 'case "$*" in *--version*) echo "Blender 9.9.9"; exit;; esac'
    program.write_text("\n".join(["#!/bin/sh", answer, *lines, ""]))
    program.chmod(0o755)
    return str(program)


@pytest.mark.skipif(os.name != "posix", reason="the Blender is a shell script")
def test_a_blender_that_makes_no_scene_is_a_failure_with_the_reason(tmp_path):
    blender = a_blender(tmp_path, "echo 'Error: out of clay'")
    done = demo("--folder", tmp_path / "demo", FLAMENCO_BLENDER=blender)
    assert done.returncode == 1
    assert "Blender could not make the scene" in done.stderr
    assert "out of clay" in done.stderr
    assert_nothing_runs(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="the Blender is a shell script")
def test_a_blender_that_renders_nothing_is_a_failure_with_the_reason(tmp_path):
    real = shlex.join(needed_blender())
    # It knows everything and says that it is done; only its pictures are missing.
    lines = ('case "$*" in *--render-frame*) echo "Blender quit"; exit;; esac', f'exec {real} "$@"')
    blender = a_blender(tmp_path, *lines)
    done = demo("--frames", "1-2", "--folder", tmp_path / "demo", FLAMENCO_BLENDER=blender)
    assert done.returncode == 1
    assert "video" not in done.stdout
    assert "no frames" in done.stderr
    assert_nothing_runs(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_demo_leaves_no_process(tmp_path, number):
    command = [*FLAMENCO, "demo", "--folder", str(tmp_path)]
    demo = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for line in demo.stderr:
        if "active" in line:
            break
    os.kill(demo.pid, number)
    demo.communicate(timeout=60)
    assert demo.returncode == 128 + number
    assert_nothing_runs(tmp_path)


def assert_nothing_runs(folder):
    """No process is left whose command line names the demo's folder."""
    if not sys.platform.startswith("linux"):
        return
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    left = [line for line in found.stdout.splitlines() if str(folder) in line]
    assert left == []
