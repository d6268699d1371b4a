from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flamenco_core import platform


def test_the_platform_has_its_name_on_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    for python, wire in (("win32", "windows"), ("linux", "linux"), ("darwin", "darwin")):
        monkeypatch.setattr(sys, "platform", python)
        assert platform.go_os() == wire


@pytest.mark.skipif(sys.platform != "linux", reason="reads XDG folders")
def test_the_data_folder_follows_the_xdg_rules(tmp_path: Path) -> None:
    assert platform.data_folder({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "flamenco"
    assert platform.data_folder({}) == Path.home() / ".local" / "share" / "flamenco"


def test_the_data_folder_of_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert platform.data_folder({}).parts[-3:] == ("Library", "Application Support", "Flamenco")
    monkeypatch.setattr(platform, "WINDOWS", True)
    folder = platform.data_folder({"LOCALAPPDATA": "/users/alfa/local"})
    assert folder == Path("/users/alfa/local/Blender Foundation/Flamenco")


def test_a_lock_is_had_by_one_at_a_time(tmp_path: Path) -> None:
    first = platform.lock_file(tmp_path / "lock")
    assert first is not None
    assert platform.lock_file(tmp_path / "lock") is None
    first.close()
    second = platform.lock_file(tmp_path / "lock")
    assert second is not None
    second.close()


@pytest.mark.skipif(sys.platform == "win32", reason="uses process groups")
def test_groups_that_are_gone_are_no_trouble() -> None:
    import subprocess

    done = subprocess.Popen(["true"], start_new_session=True)
    done.wait()
    assert not platform.group_lives(done.pid)
    platform.end_politely(done.pid)
    platform.kill_group(done.pid)
    platform.kill_process(done.pid)


def test_without_a_proc_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert platform.find_marked({"A": "b"}) == []
