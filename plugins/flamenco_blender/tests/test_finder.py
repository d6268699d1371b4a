from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from flamenco_blender import finder, places, worker
from flamenco_blender.finder import BPY_PROGRAM, BlenderFinder, version_of
from flamenco_blender.info import blender_info
from flamenco_blender.settings import BlenderSettings


@pytest.fixture
def bare(monkeypatch):
    """A finder on a machine without Blender."""
    monkeypatch.setattr(places, "usual_places", list)
    monkeypatch.setattr(finder, "find_spec", lambda name: None)

    def make(**given):
        return BlenderFinder(**{"env": {"PATH": ""}, **given})

    return make


async def test_the_setting_comes_first(bare, fake_blender):
    mine, on_path = fake_blender(name="mine"), fake_blender(name="bin/blender")
    env = {"PATH": str(Path(on_path).parent), "FLAMENCO_BLENDER": on_path}
    found = await bare(exe=mine, env=env).find()
    assert (found.argv, found.version) == ((mine,), "4.2.0 fake")


async def test_the_environment_comes_before_the_path(bare, fake_blender):
    mine, on_path = fake_blender(name="mine"), fake_blender(name="bin/blender")
    env = {"PATH": str(Path(on_path).parent), "FLAMENCO_BLENDER": mine}
    assert (await bare(env=env).find()).argv == (mine,)


async def test_the_path_comes_before_the_usual_places(bare, fake_blender, monkeypatch):
    on_path, usual = fake_blender(name="bin/blender"), fake_blender(name="usual")
    monkeypatch.setattr(places, "usual_places", lambda: [usual])
    assert (await bare(env={"PATH": str(Path(on_path).parent)}).find()).argv == (on_path,)
    assert (await bare().find()).argv == (usual,)


async def test_the_wheel_comes_last(bare, fake_blender, monkeypatch):
    monkeypatch.setattr(finder, "find_spec", lambda name: name == "bpy")
    assert [c.argv for c in bare().candidates()] == [BPY_PROGRAM]
    monkeypatch.setattr(places, "usual_places", lambda: ["/usual"])
    assert [c.argv for c in bare().candidates()] == [("/usual",), BPY_PROGRAM]


async def test_one_that_does_not_answer_is_passed_over(bare, fake_blender, monkeypatch):
    good = fake_blender(name="good")
    monkeypatch.setattr(places, "usual_places", lambda: ["/gone", good])
    looking = bare()
    assert (await looking.find()).argv == (good,)
    assert "/gone" in looking.complaints[0]


async def test_an_explicit_one_that_is_wrong_is_not_replaced(bare, fake_blender):
    on_path = fake_blender(name="bin/blender")
    looking = bare(exe="/gone", env={"PATH": str(Path(on_path).parent)})
    assert await looking.find() is None
    assert "setting plugins.blender.exe" in looking.complaints[0]


async def test_what_was_found_is_kept(bare, fake_blender):
    looking = bare(exe=fake_blender())
    first = await looking.find()
    Path(looking.exe).unlink()
    assert await looking.find() is first


@pytest.mark.parametrize("body", ["echo not-blender", "exit 3", "exec sleep 60"])
async def test_what_does_not_answer_like_blender_is_none(tmp_path, monkeypatch, body):
    monkeypatch.setattr(finder, "ANSWER_SECONDS", 0.3)
    program = tmp_path / "x"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    assert await version_of((str(program),)) is None


def test_a_setting_may_name_a_folder_or_a_bundle(tmp_path):
    (tmp_path / "blender-4.2").mkdir()
    program = tmp_path / "blender-4.2" / places.PROGRAM
    program.touch()
    assert places.program_in(str(program.parent)) == str(program)
    assert places.program_in(str(program)) == str(program)
    assert places.program_in("blender-next") == "blender-next"
    inside = tmp_path / "Blender.app" / "Contents" / "MacOS" / places.PROGRAM
    inside.parent.mkdir(parents=True)
    inside.touch()
    assert places.program_in(str(tmp_path / "Blender.app")) == str(inside)


def test_newer_versions_come_first():
    given = [Path(f"/opt/blender-{v}/blender") for v in ("4.9", "4.10", "3.6.1", "5.0")]
    found = places.newest_first(given)
    assert [path.split("-")[1] for path in found] == [
        f"{v}/blender" for v in ("5.0", "4.10", "4.9", "3.6.1")
    ]


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "plan9"])
def test_usual_places_can_be_asked_for_on_every_platform(platform):
    assert isinstance(places.usual_places(platform), list)


@pytest.mark.parametrize(
    ("exe", "plain"),
    [("blender", True), ("Blender.exe", True), ("/opt/blender", False), ("blender-4.2", False)],
)
def test_only_the_bare_name_means_any_blender(exe, plain):
    assert places.is_plain_blender(exe) is plain


class FakeWorker:
    def __init__(self, exe: str) -> None:
        self.exe = exe

    def settings_of(self, plugin: str, kind: type) -> BlenderSettings:
        assert (plugin, kind) == ("blender", BlenderSettings)
        return kind(exe=self.exe)


async def test_a_worker_without_blender_hears_which_tasks_it_cannot_run():
    (problem,) = await worker.check_readiness(FakeWorker("/gone"))
    assert problem.affects == ("blender",)
    assert "/gone" in problem.message
    assert "pip install" in problem.message


async def test_a_worker_with_blender_has_no_problem(fake_blender):
    assert await worker.check_readiness(FakeWorker(fake_blender())) == []


def test_blender_info_shows_what_was_found(fake_blender):
    exe = fake_blender()
    shown = CliRunner().invoke(blender_info, ["--exe", exe])
    assert shown.exit_code == 0
    assert shown.output.startswith("Blender 4.2.0 fake\n")
    assert exe in shown.output


def test_blender_info_fails_with_a_cure():
    shown = CliRunner().invoke(blender_info, ["--exe", "/gone"])
    assert shown.exit_code == 1
    assert "pip install" in shown.output


def test_the_subcommand_is_loaded_only_when_used():
    (offer,) = worker.register_subcommands()
    assert (offer.name, offer.load()) == ("blender-info", blender_info)
