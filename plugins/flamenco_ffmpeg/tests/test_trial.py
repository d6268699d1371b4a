from __future__ import annotations

import re
from pathlib import Path

import pytest
from flamenco_ffmpeg import manager, worker
from flamenco_ffmpeg.trial import TRIAL, VIDEO
from PIL import Image

from flamenco_core import FlamencoError


def test_both_sides_offer_it() -> None:
    assert manager.register_trials() == worker.register_trials() == [TRIAL]


async def test_a_worker_with_ffmpeg_passes_it(ffmpeg, run_command, tmp_path: Path) -> None:
    TRIAL.prepare(tmp_path)
    (command,) = TRIAL.commands(str(tmp_path))
    record = await run_command(command.name, command.parameters, [worker])
    assert TRIAL.prove(tmp_path).startswith("encoded 6 frames")
    assert re.search(TRIAL.version, "\n".join(record.lines))


def test_its_frames_are_pictures(tmp_path: Path) -> None:
    TRIAL.prepare(tmp_path)
    for frame in tmp_path.glob("*.png"):
        with Image.open(frame) as image:
            image.load()
            assert image.size == (64, 36)


@pytest.mark.parametrize(
    ("banner", "version"),
    [
        ("ffmpeg version 7.1-static https", "7.1-static"),
        ("ffmpeg version n9.0-2-g2a Co", "n9.0-2-g2a"),
    ],
)
def test_the_banner_that_flamencos_own_workers_log_tells_the_version(banner, version) -> None:
    assert re.search(TRIAL.version, f"pid=3 > {banner}")[1] == version


def test_no_video_and_no_mp4_are_failures(tmp_path: Path) -> None:
    with pytest.raises(FlamencoError, match="there is no video"):
        TRIAL.prove(tmp_path)
    (tmp_path / VIDEO).write_bytes(b"no film at all")
    with pytest.raises(FlamencoError, match="no MP4"):
        TRIAL.prove(tmp_path)
