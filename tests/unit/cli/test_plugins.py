from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import click
import pytest

from flamenco_core import hookimpl
from flamenco_core.cli import from_plugins
from flamenco_core.offers import Subcommand


@click.command()
@click.option("--loud", is_flag=True)
def hello(loud: bool) -> None:
    """Say hello."""
    click.echo("HELLO" if loud else "hello")


class Greeter:
    """A plugin with a sub-command."""

    @hookimpl
    def register_subcommands(self):
        return [Subcommand("hello", "Say hello.", lambda: hello)]


class Confused(Greeter):
    """A plugin whose sub-command is no command."""

    @hookimpl
    def register_subcommands(self):
        return [Subcommand("hello", "Say hello.", lambda: "hello")]


class Broken:
    """A plugin that fails when it is asked."""

    @hookimpl
    def register_subcommands(self):
        raise RuntimeError("oops")


@pytest.fixture
def install(monkeypatch):
    """Make objects look like installed plugins of the Manager's side."""
    modules = sys.modules[__name__]

    def install(**plugins):
        points = []
        for name, plugin in plugins.items():
            monkeypatch.setattr(modules, f"installed_{name}", plugin, raising=False)
            points.append(EntryPoint(name, f"{__name__}:installed_{name}", "flamenco.manager"))
        found = {"flamenco.manager": points}
        monkeypatch.setattr(
            "flamenco_core.plugins.entry_points", lambda group: found.get(group, [])
        )

    return install


def test_a_plugins_command_runs_like_any_other(flamenco, install):
    install(greeter=Greeter())
    assert flamenco("hello").out == "hello\n"
    assert flamenco("hello", "--loud").out == "HELLO\n"
    assert flamenco("hello", "--nonsense").code == 2


def test_a_plugins_command_never_hides_one_of_the_core(flamenco, monkeypatch):
    monkeypatch.setattr(from_plugins, "subcommand", lambda name: hello)
    assert flamenco("jobs").out == ""


def test_a_broken_plugin_does_not_keep_others_from_their_commands(flamenco, install):
    install(broken=Broken(), greeter=Greeter())
    outcome = flamenco("hello")
    assert (outcome.code, outcome.out, outcome.err) == (0, "hello\n", "")


def test_what_is_no_command_names_its_plugin(flamenco, install):
    install(confused=Confused())
    outcome = flamenco("hello")
    assert outcome.code == 1
    assert "'confused'" in outcome.err


def test_the_plugins_of_this_machine_are_listed(flamenco, install):
    install(greeter=Greeter(), broken=Broken())
    outcome = flamenco("plugins", "--json")
    assert outcome.code == 1  # one is broken
    found = {(p["name"], p["side"]): p for p in outcome.json}
    assert "hello" in found["greeter", "manager"]["offers"]
    assert "oops" in found["broken", "manager"]["error"]
    assert found["misc", "worker"]["state"] == "on"
    assert outcome.err == ""


def test_healthy_plugins_are_a_success(flamenco, install):
    install()
    outcome = flamenco("plugins")
    assert outcome.code == 0
    assert outcome.out.splitlines()[0].startswith("NAME")


def test_the_plugins_of_the_manager_can_be_asked_for(flamenco):
    outcome = flamenco("plugins", "--remote", "--json")
    assert (outcome.code, outcome.json) == (0, [])


def test_the_commands_of_this_machine_are_listed(flamenco, install):
    install()
    found = {command["name"]: command for command in flamenco("commands", "--json").json}
    assert found["echo"]["plugin"] == "misc"
    source = {"name": "src", "type": "str", "required": True}
    assert source in found["copy-file"]["parameters"]
    assert "message" in flamenco("commands").out


def test_the_built_in_job_types_can_be_exported(flamenco, install, tmp_path):
    install()
    assert flamenco("job-types", "export", tmp_path, "echo-sleep-test").code == 0
    exported = tmp_path / "echo_sleep_test.py"
    assert flamenco("job-types", "check", exported).out == f"{exported}: fine\n"
