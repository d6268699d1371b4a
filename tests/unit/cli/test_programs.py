"""The commands that start a Manager or a Worker, up to the point where these take over."""

from __future__ import annotations

import logging
import socket

import pytest


@pytest.fixture(autouse=True)
def quiet(monkeypatch, tmp_path):
    """Leave the logging of the test run alone, and the folder of the checkout."""
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def served(monkeypatch):
    """Take the place of the server; the list tells what it was given."""
    served = []

    def serve(app, host, port, on_ready=None):
        served.append((app.state.manager.settings, host, port))
        on_ready(f"http://{host}:{port}")

    monkeypatch.setattr("flamenco_core.manager.server.serve", serve)
    return served


@pytest.fixture
def worked(monkeypatch):
    """Take the place of the Worker's work."""
    worked = []

    async def run(app):
        worked.append(app.worker.settings)
        return 3

    monkeypatch.setattr("flamenco_core.worker.app.run_with_signals", run)
    return worked


def test_the_manager_says_where_it_is(flamenco, served, tmp_path):
    outcome = flamenco("manager")
    assert outcome.out == "the Manager is ready at http://127.0.0.1:8080\n"
    settings, host, port = served[0]
    assert (host, port) == ("127.0.0.1", 8080)
    assert settings.database == str(tmp_path / "flamenco-manager.sqlite")


def test_options_of_the_manager_win_over_its_file(flamenco, served, tmp_path):
    file = tmp_path / "farm" / "my.yaml"
    file.parent.mkdir()
    file.write_text("_meta: {version: 3}\nlisten: ':9'\nmanager_name: Ours\n")
    flamenco("manager", "--config", file, "--listen", ":7", "--shared", "s", "--database", "d.db")
    settings, host, port = served[0]
    assert (host, port, settings.manager_name) == ("", 7, "Ours")
    assert settings.shared_storage_path == str(tmp_path / "s")
    assert settings.database == str(tmp_path / "d.db")


def test_a_data_folder_holds_all_that_the_manager_keeps(flamenco, served, tmp_path):
    flamenco("manager", "--data", "data")
    settings = served[0][0]
    for path in (settings.database, settings.local_manager_storage_path):
        assert str(path).startswith(str(tmp_path / "data"))


def test_a_data_folder_beside_a_settings_file(flamenco, served, tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("_meta: {version: 3}\n")
    flamenco("manager", "--config", file, "--data", "data")
    settings = served[0][0]
    for path in (settings.database, settings.local_manager_storage_path):
        assert str(path).startswith(str(tmp_path / "data"))


def test_a_url_of_a_database_stays_as_it_is(flamenco, served):
    url = "postgresql+psycopg://u@h/n"
    flamenco("manager", "--database", url)
    assert served[0][0].database == url


def test_an_unknown_setting_is_told(flamenco, served, tmp_path):
    (tmp_path / "flamenco-manager.yaml").write_text("_meta: {version: 3}\ntask_timeoutt: 1m\n")
    outcome = flamenco("manager")
    assert "task_timeout" in outcome.err
    assert len(served) == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--config", "missing.yaml"], "missing.yaml"),
        (["--listen", "everywhere"], "HOST:PORT"),
        (["--database", "mysql://x"], "SQLite"),
    ],
)
def test_a_wrong_setting_of_the_manager_is_one_line(flamenco, served, args, words):
    outcome = flamenco("manager", *args)
    assert outcome.code == 1
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert served == []


def test_a_port_that_is_taken_is_one_line_with_the_cure(flamenco):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        outcome = flamenco("manager", "--listen", address)
    assert outcome.code == 1
    assert address in outcome.err


def test_missing_packages_of_the_manager_are_named(flamenco, monkeypatch):
    def missing(*_args, **_more):
        raise ModuleNotFoundError("No module named 'litestar'", name="litestar.x")

    monkeypatch.setattr("flamenco_core.manager.create_manager", missing)
    outcome = flamenco("manager")
    assert outcome.code == 1
    assert "flamenco-core[manager]" in outcome.err


def test_options_reach_the_worker_and_its_exit_code_comes_back(flamenco, worked, tmp_path):
    args = ["--manager", "http://farm:1", "--home", "h", "--name", "box", "--task-types", "a, b"]
    assert flamenco("worker", *args).code == 3
    settings = worked[0]
    assert settings.manager_url == "http://farm:1"
    assert settings.name == "box"
    assert list(settings.task_types) == ["a", "b"]
    assert settings.home_path == tmp_path / "h"


@pytest.mark.parametrize("place", ["before", "environment"])
def test_the_worker_can_be_told_of_its_manager_elsewhere(flamenco, worked, monkeypatch, place):
    if place == "environment":
        monkeypatch.setenv("FLAMENCO_MANAGER_URL", "http://farm:1")
        flamenco("worker")
    else:
        flamenco("--manager", "http://farm:1", "worker")
    assert worked[0].manager_url == "http://farm:1"


def test_the_worker_reads_its_file(flamenco, worked, tmp_path):
    (tmp_path / "flamenco-worker.yaml").write_text("worker_name: filed\n")
    flamenco("worker")
    assert worked[0].name == "filed"


@pytest.mark.parametrize("args", [["--config", "missing.yaml"], ["--log-level", "loud"]])
def test_a_wrong_command_line_of_the_worker_is_one_line(flamenco, worked, args):
    outcome = flamenco("worker", *args)
    assert outcome.code in (1, 2)
    assert outcome.err.count("\n") == 1
    assert worked == []


def test_a_wrong_setting_of_the_worker_is_one_line(flamenco, worked, tmp_path):
    (tmp_path / "flamenco-worker.yaml").write_text("restart_exit_code: often\n")
    outcome = flamenco("worker")
    assert outcome.code == 1
    assert "restart_exit_code" in outcome.err
