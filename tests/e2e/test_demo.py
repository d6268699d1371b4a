"""The demo as a person runs it: real Manager, Worker, Blender and FFmpeg."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

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


def test_the_demo_renders_every_frame_and_the_video(tmp_path):
    command = [*FLAMENCO, "demo", "--frames", "1,3", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    files = {file.name: file for file in (tmp_path / "run-001" / "frames").rglob("*.*")}
    assert {"000001.png", "000003.png"} <= set(files)
    (video,) = [file for name, file in files.items() if name.endswith(".mp4")]
    assert video.stat().st_size > 1000
    assert str(video) in done.stdout
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
