from __future__ import annotations

import subprocess
import sys

import click
import httpx
import pytest

from flamenco_core.cli.border import run
from flamenco_core.cli.context import Cli
from flamenco_core.cli.group import CORE, Program
from flamenco_core.cli.group import flamenco as group
from flamenco_core.errors import FlamencoError


def test_an_unreachable_manager_is_one_line_that_names_it_and_the_cure(flamenco):
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    outcome = flamenco("jobs", transport=httpx.MockTransport(refuse))
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert "http://127.0.0.1:8080" in outcome.err
    assert "--manager" in outcome.err


def test_a_slow_manager_is_told_from_a_missing_one(flamenco):
    def slow(request):
        raise httpx.ReadTimeout("slow", request=request)

    outcome = flamenco("jobs", transport=httpx.MockTransport(slow))
    assert outcome.code == 1
    assert "did not answer in time" in outcome.err


def test_something_that_is_no_manager_is_named(flamenco):
    hello = httpx.MockTransport(lambda request: httpx.Response(200, text="<html>"))
    outcome = flamenco("jobs", transport=hello)
    assert outcome.code == 1
    assert "does not answer like a Manager" in outcome.err


def test_the_managers_own_words_are_passed_on(flamenco):
    busy = httpx.Response(503, json={"code": 503, "message": "the database is locked"})
    outcome = flamenco("jobs", transport=httpx.MockTransport(lambda request: busy))
    assert (outcome.code, outcome.err) == (1, "flamenco: the database is locked\n")


def test_an_error_page_of_a_proxy_is_told_by_its_number(flamenco):
    bad = httpx.Response(502, text="<html>Bad gateway</html>")
    outcome = flamenco("jobs", transport=httpx.MockTransport(lambda request: bad))
    assert "502" in outcome.err


@pytest.mark.parametrize(
    "args",
    [["nonsense"], ["jobs", "--nonsense"], ["jobs", "show"], ["jobs", "--status", "happy"]],
)
def test_a_wrong_command_line_ends_with_2_and_one_line(flamenco, args):
    outcome = flamenco(*args)
    assert outcome.code == 2
    assert outcome.err.startswith("flamenco: ")
    assert outcome.err.count("\n") == 1


def test_a_misspelt_command_gets_a_suggestion(flamenco):
    assert "'jobs'" in flamenco("jbos").err


def test_ctrl_c_ends_quietly_with_130(flamenco, capsys):
    def interrupt(request):
        raise KeyboardInterrupt

    outcome = flamenco("jobs", transport=httpx.MockTransport(interrupt))
    assert outcome.code == 130
    assert outcome.err.strip() == ""


def test_a_bug_is_one_line_and_a_traceback_only_with_debug(flamenco):
    def broken(request):
        raise RuntimeError("oops")

    outcome = flamenco("jobs", transport=httpx.MockTransport(broken))
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert "--debug" in outcome.err
    with pytest.raises(RuntimeError):
        flamenco("jobs", "--debug", transport=httpx.MockTransport(broken))
    with pytest.raises(RuntimeError):
        flamenco("--debug", "jobs", transport=httpx.MockTransport(broken))


@pytest.mark.parametrize("text", ["", "ftp://farm", "http://", "http://farm:port"])
def test_a_wrong_url_is_refused_with_an_example(flamenco, text):
    outcome = flamenco("jobs", "--manager", text)
    assert outcome.code == 1
    assert "http://farm:8080" in outcome.err


@pytest.mark.parametrize("place", ["before", "after", "environment"])
def test_the_manager_can_be_named_in_three_places(flamenco, farm, monkeypatch, place):
    args = ["jobs"]
    if place == "environment":
        monkeypatch.setenv("FLAMENCO_MANAGER_URL", "http://far:99")
    else:
        args[0 if place == "before" else 1 : 0] = ["--manager", "far:99"]
    assert flamenco(*args).code == 0
    assert farm.requests[-1].url.netloc == b"far:99"


@pytest.mark.parametrize("args", [["--manager", "near", "jobs"], ["jobs", "--manager", "near"]])
def test_the_command_line_wins_over_the_environment(flamenco, farm, monkeypatch, args):
    monkeypatch.setenv("FLAMENCO_MANAGER_URL", "http://far:99")
    flamenco(*args)
    assert farm.requests[-1].url.host == "near"


def test_a_manager_behind_a_sub_path_is_asked_there(flamenco, farm):
    flamenco("jobs", "--manager", "http://studio/flamenco/")
    assert farm.requests[-1].url.path == "/flamenco/api/v3/jobs"


@pytest.mark.parametrize("name", CORE)
def test_every_command_has_help_and_its_listed_text_is_true(flamenco, name):
    outcome = flamenco(name, "--help")
    assert outcome.code == 0
    command = group.get_command(click.Context(group), name)
    assert command.help
    assert command.short_help == CORE[name]


def test_help_lists_every_command_without_importing_one():
    code = (
        "import sys; from flamenco_core.cli import main; main(['--help']);"
        "bad = [m for m in sys.modules if m.split('.')[0] in"
        " {'httpx', 'cattrs', 'rich', 'attr', 'msgspec', 'litestar', 'sqlalchemy', 'pluggy'}"
        " or m.startswith('flamenco_core.cli.commands')]; sys.exit(repr(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in CORE)


def test_output_to_a_pipe_has_no_colors():
    args = [sys.executable, "-m", "flamenco_core.cli", "version"]
    done = subprocess.run(args, capture_output=True, check=True)
    assert b"\x1b" not in done.stdout + done.stderr


def test_a_reader_that_leaves_is_no_error():
    command = f"{sys.executable} -m flamenco_core.cli --help | head -c 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert done.stderr == b""


def test_plugins_can_bring_commands(monkeypatch, capsys):
    @click.command()
    def hello():
        click.echo("hello")

    monkeypatch.setattr(
        "flamenco_core.cli.from_plugins.subcommand", {"hello": hello}.get, raising=True
    )
    assert run(["hello"], Cli()) == 0
    assert capsys.readouterr().out == "hello\n"


def test_messages_of_many_lines_become_one(monkeypatch, capsys):
    def fail(*_args):
        raise FlamencoError("one\n  two")

    monkeypatch.setattr(Program, "get_command", fail)
    assert run(["jobs"], Cli()) == 1
    assert capsys.readouterr().err == "flamenco: one two\n"
