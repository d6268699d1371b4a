"""How a Worker gets what opens the door, and who must not see it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from flamenco_core.config import load_settings
from flamenco_core.errors import ConfigError
from flamenco_core.testing import FakeManager, a_task
from flamenco_core.tokens import make_token
from flamenco_core.worker import machine
from flamenco_core.worker.door import door_of, environment_of_tasks
from flamenco_core.worker.machine import machine_number
from flamenco_core.worker.settings import WorkerSettings

TOKEN = make_token("reg").text


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (f"http://farm:8080/join/{TOKEN}/", "http://farm:8080/"),
        (f"http://farm:8080/join/{TOKEN}", "http://farm:8080/"),
        (f"farm:8080/join/{TOKEN}", "farm:8080/"),
        (f"https://farm/flamenco/join/{TOKEN}/", "https://farm/flamenco/"),
        (f"http://a/join/{TOKEN}/, http://b/join/{TOKEN}", "http://a/, http://b/"),
    ],
)
def test_a_token_is_taken_out_of_the_address(address: str, url: str) -> None:
    door = door_of(address, WorkerSettings())
    assert (door.url, door.ticket) == (url, TOKEN)
    assert TOKEN not in repr(door)


def test_an_address_without_one_stays_as_it_is() -> None:
    for url in ("http://farm:8080/", "http://farm/join/", "http://join:8080/x", "http://a, b"):
        assert door_of(url, WorkerSettings()).url == url
        assert door_of(url, WorkerSettings()).ticket == ""


def test_the_settings_come_first_and_then_their_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    address = "http://farm/join/other/"
    settings = WorkerSettings(registration_token=" mine ", registration_token_file=str(file))
    assert door_of(address, settings).ticket == "mine"
    settings = WorkerSettings(registration_token_file=str(file))
    assert door_of(address, settings).ticket == TOKEN
    assert door_of(address, settings).url == "http://farm/"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = WorkerSettings(registration_token_file=str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match=r"registration_token_file: cannot read .*nothing"):
        door_of("http://farm/", settings)


def test_the_file_is_found_from_the_settings_folder(tmp_path: Path) -> None:
    file = tmp_path / "flamenco-worker.yaml"
    file.write_text("registration_token_file: token\n")
    loaded = load_settings(file, WorkerSettings, environ={}).settings
    assert loaded.registration_token_file == str(tmp_path / "token")


def test_the_environment_has_it_for_the_worker_and_not_for_its_tasks() -> None:
    environ = {
        "FLAMENCO_REGISTRATION_TOKEN": TOKEN,
        "FLAMENCO_MANAGER_URL": f"http://farm/join/{TOKEN}/",
        "PATH": "/bin",
    }
    settings = load_settings(None, WorkerSettings, environ=environ).settings
    assert settings.registration_token == TOKEN
    assert TOKEN not in repr(settings)
    assert environment_of_tasks(environ) == {"FLAMENCO_MANAGER_URL": "http://farm/", "PATH": "/bin"}


async def test_a_worker_shows_it_once_and_nobody_sees_it(
    start: Any,
    manager: FakeManager,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG, "flamenco_core")
    monkeypatch.setenv("FLAMENCO_REGISTRATION_TOKEN", TOKEN)
    manager.trouble("register", 503, 403)
    script = "import os; print(sorted(os.environ.items()))"
    command = {"exe": sys.executable, "args": ["-c", script]}
    manager.give(a_task(("exec", command)))
    url = f"http://manager.test/farm/join/{TOKEN}/"
    async with start(manager_url=url, exec_allowed=True):
        await manager.until(lambda: "PATH" in manager.log_of("task-1"))
    shown = [(name, h.get("Authorization")) for name, h in manager.calls]
    assert [header for name, header in shown if name == "register"] == [f"Bearer {TOKEN}"] * 3
    assert all(TOKEN not in (header or "") for name, header in shown if name != "register")
    assert TOKEN not in caplog.text
    assert TOKEN not in manager.log_of("task-1")


# -- the machine's number ----------------------------------------------------------------------


def test_the_number_is_the_same_each_time_and_another_for_another_home(tmp_path: Path) -> None:
    one = machine_number(tmp_path)
    assert one
    assert one == machine_number(tmp_path)
    assert one != machine_number(tmp_path / "two")


def test_the_systems_own_number_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "machine-id"
    file.write_text("0123456789abcdef\n")
    monkeypatch.setattr(machine, "_FILES", (tmp_path / "nothing", file))
    assert "0123456789abcdef" not in machine_number(tmp_path)


def test_without_any_number_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_FILES", ())
    monkeypatch.setattr(machine, "_windows", str)
    monkeypatch.setattr(machine.uuid, "getnode", lambda: 1 << 40 | 5)
    assert machine_number(tmp_path) == ""
    monkeypatch.setattr(machine.uuid, "getnode", lambda: 5)
    assert machine_number(tmp_path) != ""
