from __future__ import annotations

import sys
from pathlib import Path

import pytest
from flamenco_ffmpeg import finder, worker
from flamenco_ffmpeg.finder import FFmpegFinder, is_plain_ffmpeg, tool_names, version_of
from flamenco_ffmpeg.settings import FFmpegSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are shell scripts here")


def program(path: Path, first_line: str = "ffmpeg version 7.0-fake Copyright") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{first_line}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(monkeypatch):
    """A finder on a machine without FFmpeg."""
    monkeypatch.setattr(finder, "_bundled", lambda: None)

    def make(**given):
        return FFmpegFinder(**{"env": {"PATH": ""}, "folders": (), **given})

    return make


async def test_the_setting_comes_before_everything(bare, tmp_path):
    mine = program(tmp_path / "mine")
    program(tmp_path / "bin" / "ffmpeg")
    found = await bare(exe=str(mine), env={"PATH": str(tmp_path / "bin")}).find()
    assert (found.exe, found.version) == (str(mine), "7.0-fake")


async def test_the_environment_comes_before_the_path(bare, tmp_path):
    mine = program(tmp_path / "mine")
    program(tmp_path / "bin" / "ffmpeg")
    env = {"PATH": str(tmp_path / "bin"), "FLAMENCO_FFMPEG": str(mine)}
    assert (await bare(env=env).find()).exe == str(mine)


async def test_a_tools_folder_beside_the_program_comes_before_the_path(bare, tmp_path):
    special, *_, plain = tool_names()
    program(tmp_path / "bin" / "ffmpeg")
    program(tmp_path / "tools" / plain)
    given = {"env": {"PATH": str(tmp_path / "bin")}, "folders": (tmp_path,)}
    assert (await bare(**given).find()).exe == str(tmp_path / "tools" / plain)
    program(tmp_path / "tools" / special)
    assert (await bare(**given).find()).exe == str(tmp_path / "tools" / special)


async def test_the_bundled_one_comes_last(bare, tmp_path, monkeypatch):
    bundled = program(tmp_path / "bundled")
    monkeypatch.setattr(finder, "_bundled", lambda: str(bundled))
    assert (await bare().find()).origin == "imageio-ffmpeg wheel"
    on_path = program(tmp_path / "bin" / "ffmpeg")
    assert (await bare(env={"PATH": str(on_path.parent)}).find()).exe == str(on_path)


async def test_an_explicit_one_that_is_wrong_is_not_replaced(bare, tmp_path):
    program(tmp_path / "bin" / "ffmpeg")
    looking = bare(exe=str(tmp_path / "gone"), env={"PATH": str(tmp_path / "bin")})
    assert await looking.find() is None
    assert "gone" in looking.complaints[0]


async def test_another_program_is_no_ffmpeg(tmp_path):
    assert await version_of(str(program(tmp_path / "x", "ffplay version 7.0"))) is None
    (tmp_path / "y").write_text("no program")
    assert await version_of(str(tmp_path / "y")) is None


async def test_a_program_that_never_answers_is_no_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setattr(finder, "ANSWER_SECONDS", 0.2)
    path = tmp_path / "slow"
    path.write_text("#!/bin/sh\nexec sleep 60\n")
    path.chmod(0o755)
    assert await version_of(str(path)) is None


def test_tools_are_named_as_flamenco_does():
    assert tool_names("linux", "x86_64") == ["ffmpeg-linux-amd64", "ffmpeg-linux", "ffmpeg"]
    assert tool_names("win32", "AMD64")[0] == "ffmpeg-windows-amd64.exe"
    assert tool_names("darwin", "arm64")[0] == "ffmpeg-darwin-arm64"


@pytest.mark.parametrize(
    ("exe", "plain"),
    [("ffmpeg", True), ("FFmpeg.EXE", True), ("/usr/bin/ffmpeg", False), ("ffmpeg5", False)],
)
def test_only_the_bare_name_means_any_ffmpeg(exe, plain):
    assert is_plain_ffmpeg(exe) is plain


class FakeWorker:
    def __init__(self, exe: str) -> None:
        self.exe = exe

    def settings_of(self, plugin: str, kind: type) -> FFmpegSettings:
        assert (plugin, kind) == ("ffmpeg", FFmpegSettings)
        return kind(exe=self.exe)


async def test_a_worker_without_ffmpeg_hears_which_tasks_it_cannot_run(tmp_path):
    (problem,) = await worker.check_readiness(FakeWorker(str(tmp_path / "gone")))
    assert problem.affects == ("ffmpeg",)
    assert "pip install" in problem.message
    assert "gone" in problem.message


async def test_a_worker_with_ffmpeg_has_no_problem(tmp_path):
    assert await worker.check_readiness(FakeWorker(str(program(tmp_path / "ffmpeg")))) == []
