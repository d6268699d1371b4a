from __future__ import annotations

from pathlib import Path

import pytest
from flamenco_ffmpeg.finder import FFmpegFinder
from PIL import Image


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """A folder in which frames can be made by `paint`."""
    folder = tmp_path / "frames"
    folder.mkdir()
    return folder


@pytest.fixture
def paint():
    """Make an image whose red says which number it has."""

    def make(path: Path, number: int, size: tuple[int, int] = (64, 36)) -> Path:
        Image.new("RGB", size, (number * 10 % 256, 40, 200)).save(path)
        return path

    return make


@pytest.fixture
async def ffmpeg() -> str:
    """A real FFmpeg."""
    found = await FFmpegFinder(env={"PATH": ""}).find() or await FFmpegFinder().find()
    if found is None:
        pytest.skip("NO FFMPEG: pip install 'flamenco-ffmpeg[bundled]' to run these tests")
    return found.exe
