from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flamenco_core.errors import ConfigError
from flamenco_core.plugins import Plugins
from flamenco_core.plugins_dir import load_plugins_dir

GOOD = """
from flamenco_core import hookimpl

class Touch:
    name = "touch"

@hookimpl
def register_commands():
    return [Touch]
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="files have no modes on Windows")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def plugins() -> Plugins:
    return Plugins("worker")


def put(folder: Path, name: str, text: str = GOOD, mode: int = 0o644) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(mode)


def test_each_file_is_a_plugin_named_after_it(folder: Path, plugins: Plugins) -> None:
    put(folder, "touch.py")
    put(folder, "_helper.py")
    put(folder, "notes.txt")
    load_plugins_dir(plugins, folder)
    assert [(info.name, info.origin, info.state) for info in plugins] == [("touch", "folder", "on")]
    assert set(plugins.registered("register_commands", worker=None)) == {"touch"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import no_such_module_at_all\n", "no_such_module_at_all"),
        ("raise SystemExit(1)\n", "SystemExit"),
        ("x = 1\n", "@hookimpl missing"),
    ],
)
def test_a_broken_file_is_listed_and_the_others_work(
    folder: Path, plugins: Plugins, text: str, words: str
) -> None:
    put(folder, "a_broken.py", text)
    put(folder, "touch.py")
    load_plugins_dir(plugins, folder)
    assert plugins["touch"].state == "on"
    assert plugins["a_broken"].state == "off"
    assert words in str(plugins["a_broken"].error)
    assert "flamenco_plugins_dir.a_broken" not in sys.modules or words == "@hookimpl missing"


def test_a_file_named_like_a_standard_module_does_not_replace_it(
    folder: Path, plugins: Plugins
) -> None:
    import json

    put(folder, "json.py")
    load_plugins_dir(plugins, folder)
    assert plugins["json"].state == "on"
    assert sys.modules["json"] is json


def test_a_blocked_file_is_not_run(folder: Path) -> None:
    put(folder, "touch.py", "raise RuntimeError('was run')")
    plugins = Plugins("worker", blocked={"touch"})
    load_plugins_dir(plugins, folder)
    assert (plugins["touch"].state, plugins["touch"].error) == ("blocked", None)
    assert plugins["touch"].origin == "folder"


def test_strict_raises_for_a_broken_file(folder: Path) -> None:
    put(folder, "broken.py", "1 / 0")
    with pytest.raises(ZeroDivisionError):
        load_plugins_dir(Plugins("worker", strict=True), folder)


def test_a_missing_folder_is_an_error_with_the_cure(tmp_path: Path, plugins: Plugins) -> None:
    with pytest.raises(ConfigError, match=r"no folder .*; make it"):
        load_plugins_dir(plugins, tmp_path / "none")


@posix
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_that_others_may_write_to_is_refused(
    folder: Path, plugins: Plugins, mode: int
) -> None:
    put(folder, "touch.py")
    folder.chmod(mode)
    with pytest.raises(ConfigError, match="chmod go-w"):
        load_plugins_dir(plugins, folder)
    assert list(plugins) == []


@posix
def test_a_file_that_others_may_write_to_is_listed_not_run(folder: Path, plugins: Plugins) -> None:
    put(folder, "touch.py", mode=0o666)
    load_plugins_dir(plugins, folder)
    assert plugins["touch"].state == "off"
    assert "chmod go-w" in str(plugins["touch"].error)


@posix
@pytest.mark.parametrize("mine", ["the folder", "nothing"])
def test_what_belongs_to_another_user_is_not_run(
    folder: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch, mine: str
) -> None:
    put(folder, "touch.py")
    owner = {folder: 4242 if mine == "the folder" else 7, folder / "touch.py": 7}
    monkeypatch.setattr("flamenco_core.plugins_dir.os.geteuid", lambda: 4242)
    monkeypatch.setattr("flamenco_core.plugins_dir._owner", owner.__getitem__)
    if mine == "nothing":
        with pytest.raises(ConfigError, match="belongs to another user"):
            load_plugins_dir(plugins, folder)
    else:
        load_plugins_dir(plugins, folder)
        assert "belongs to another user" in str(plugins["touch"].error)
