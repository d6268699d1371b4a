from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand in for programs")


@pytest.fixture
def setup(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", repository / "scripts/setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def program(folder: Path, name: str, exit_code: int) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


@posix
def test_a_python_that_does_not_run_is_passed_over(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "shims", "python3.11", 127)
    good = program(tmp_path / "bin", "python3.11", 0)
    program(tmp_path / "shims", "python3.13", 0)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "shims"), str(tmp_path / "bin")]))
    assert setup.good_python() == str(good)


@posix
def test_3_13_comes_before_3_12_because_blender_has_wheels_for_it(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "python3.12", 0)
    good = program(tmp_path, "python3.13", 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert setup.good_python() == str(good)


def test_without_any_python_it_says_what_to_install(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(setup, "works", lambda python: False)
    monkeypatch.setattr(setup, "PYTHON", tmp_path / "none")
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        setup.make_environment()


def test_when_nothing_has_changed_nothing_is_done(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    monkeypatch.setattr(sys, "argv", ["setup.py"])
    monkeypatch.setattr(setup, "STAMP", tmp_path / "stamp.json")
    monkeypatch.setattr(setup, "works", lambda python: True)
    monkeypatch.setattr(setup, "install_uv", lambda: None)
    monkeypatch.setattr(setup, "install", done.append)
    setup.main()
    setup.main()
    assert done == [[]]
    (tmp_path / "stamp.json").write_text("{half")
    setup.main()
    assert done == [[], []]


def test_blender_is_brought_only_when_it_is_wanted_and_missing_and_then_kept(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    monkeypatch.setattr(setup, "STAMP", tmp_path / "stamp.json")
    monkeypatch.setattr(setup, "works", lambda python: True)
    monkeypatch.setattr(setup, "install_uv", lambda: None)
    monkeypatch.setattr(setup, "install", done.append)
    for arguments, there in ((["--blender"], True), (["--blender"], False), ([], False)):
        monkeypatch.setattr(sys, "argv", ["setup.py", *arguments])
        monkeypatch.setattr(setup, "has_blender", lambda there=there: there)
        setup.main()
    assert done == [[], ["bpy"]]
    assert "./plugins/flamenco_blender[bpy]" in list(setup.plugins(["bpy"]))


def test_uv_is_taken_from_the_lock_with_its_hashes(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[object], env: object = None) -> None:
        commands.append([str(part) for part in command])
        commands.append(Path(str(command[-1])).read_text().splitlines())

    monkeypatch.setattr(setup, "run", run)
    setup.install_uv()
    command, lines = commands
    assert "--require-hashes" in command
    assert lines[0].startswith("uv==")
    assert any("--hash=sha256:" in line for line in lines)
    assert sum("==" in line for line in lines) == 1
