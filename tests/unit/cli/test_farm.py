"""Child processes, and what a render job leaves on disk."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import attrs
import pytest

from flamenco_core.cli.context import Cli
from flamenco_core.cli.farm import children as module
from flamenco_core.cli.farm.children import Child, Children, clean_environment, free_port
from flamenco_core.cli.farm.local import LocalFarm
from flamenco_core.cli.farm.results import results_of
from flamenco_core.cli.farm.scene import build_scene
from flamenco_core.errors import FlamencoError
from flamenco_core.wire.converter import structure
from flamenco_core.wire.jobs import Job

SLEEPS = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Start a Python program as a child, and wait for its first word."""
    monkeypatch.setattr(module, "_GRACE", 0.3)

    def start(children: Children, code: str) -> Child:
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
        )
        process.stdout.readline()
        process.stdout.close()
        child = Child(name="Worker", process=process, log=tmp_path / "log")
        children.all.append(child)
        return child

    return start


@pytest.mark.parametrize("code", [SLEEPS, STUBBORN])
def test_no_child_is_left_behind(start, code):
    with Children() as children:
        child = start(children, code)
    assert child.process.returncode is not None


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, FlamencoError])
def test_no_child_is_left_behind_by_an_error(start, error):
    with pytest.raises(error), Children() as children:  # noqa: PT012
        child = start(children, SLEEPS)
        raise error
    assert child.process.returncode is not None


def test_no_child_is_left_behind_by_sigterm(start):
    with pytest.raises(SystemExit) as stopped, Children() as children:  # noqa: PT012
        child = start(children, SLEEPS)
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    assert stopped.value.code == 128 + signal.SIGTERM
    assert child.process.returncode is not None
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_child_that_ended_is_told_with_the_end_of_its_log(start, tmp_path):
    (tmp_path / "log").write_text("one\n\nboom\n")
    with Children() as children:
        child = start(children, "print('up'); raise SystemExit(3)")
        child.process.wait()
        with pytest.raises(FlamencoError, match="Worker ended with exit code 3"):
            children.check()
        assert child.tail() == ["one", "boom"]


def test_a_real_child_writes_to_its_log(tmp_path):
    log = tmp_path / "log"
    with Children() as children:
        child = children.flamenco("version", ["--version"], env=clean_environment(), log=log)
        assert child.process.wait() == 0
    assert "flamenco" in log.read_text()


def test_settings_of_other_farms_do_not_reach_the_children(monkeypatch):
    monkeypatch.setenv("FLAMENCO_DATABASE", "postgresql://elsewhere")
    monkeypatch.setenv("FLAMENCO_BLENDER", "/opt/blender")
    found = clean_environment(EXTRA="1")
    assert "FLAMENCO_DATABASE" not in found
    assert (found["FLAMENCO_BLENDER"], found["EXTRA"]) == ("/opt/blender", "1")


def test_a_port_that_is_taken_is_not_used():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port
    assert free_port() > 0


def test_a_farm_that_does_not_start_says_why(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('no disk')\n")
    with Children() as children:
        farm = LocalFarm(
            cli=Cli(), children=children, folder=tmp_path / "farm", port=free_port(), quiet=True
        )
        farm.start()
        with pytest.raises(FlamencoError, match="ended with exit code"):
            farm.wait_until_ready()
        farm.tell_logs()
    assert "no disk" in capsys.readouterr().err
    settings = (tmp_path / "farm" / "flamenco-manager.yaml").read_text()
    assert json.dumps(str(farm.shared)) in settings
    assert "autodiscoverable: false" in settings


def test_settings_that_are_there_stay(tmp_path):
    file = tmp_path / "flamenco-manager.yaml"
    file.write_text("mine")
    LocalFarm(cli=Cli(), children=Children(), folder=tmp_path)._write_settings()
    assert file.read_text() == "mine"


# -- results


@pytest.fixture
def rendered(tmp_path, facts):
    """A finished job of two frames, and a video, in *tmp_path*."""
    job = structure(facts.job(), Job)
    settings = {"frames": "1-2", "image_file_extension": ".png"}
    for name in ("000001.png", "000002.png", "demo-1-2.mp4"):
        (tmp_path / name).write_bytes(b"x")
    return attrs.evolve(job, settings=settings | {"render_output_path": f"{tmp_path}/######"})


def test_a_complete_job_lacks_nothing(rendered, tmp_path):
    found = results_of(rendered)
    assert found.missing == ()
    assert [frame.name for frame in found.frames] == ["000001.png", "000002.png"]
    assert found.video == tmp_path / "demo-1-2.mp4"


@pytest.mark.parametrize("name", ["000002.png", "demo-1-2.mp4"])
def test_what_is_missing_or_empty_is_named(rendered, tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert results_of(rendered).missing == (f"{name} is empty",)
    (tmp_path / name).unlink()
    assert len(results_of(rendered).missing) == 1


@pytest.mark.parametrize("path", [None, 3, "/somewhere/frame.png", "/somewhere/"])
def test_a_job_that_does_not_say_where_its_frames_are_is_an_error(rendered, path):
    job = attrs.evolve(rendered, settings=rendered.settings | {"render_output_path": path})
    with pytest.raises(FlamencoError, match="where its frames are"):
        results_of(job)


def test_a_scene_that_blender_cannot_make_is_told_with_its_words(tmp_path):
    with pytest.raises(FlamencoError, match=r"exit code 2.*no-such-option|could not make"):
        build_scene([sys.executable, "--no-such-option"], tmp_path / "demo.blend")


# -- the demo's own command line


def test_the_demo_refuses_frames_that_are_none(flamenco, tmp_path):
    outcome = flamenco("demo", "--frames", "one", "--folder", tmp_path)
    assert outcome.code == 1
    assert "1-24" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_the_demo_without_blender_names_the_cure(flamenco, tmp_path, monkeypatch):
    monkeypatch.setattr("flamenco_core.cli.farm.scene.find_blender", lambda: None)
    outcome = flamenco("demo", "--folder", tmp_path)
    assert outcome.code == 1
    assert "flamenco-blender[bpy]" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_each_demo_has_a_folder_of_its_own(tmp_path):
    from flamenco_core.cli.commands.demo import _fresh

    assert [_fresh(tmp_path).name for _ in range(2)] == ["run-001", "run-002"]
