"""The commands of a run, as its log has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flamenco_core.config.secrets import MASK
from flamenco_core.domain.variables import VariableTable
from flamenco_core.manager.command_words import LONGEST, CommandWords
from flamenco_core.offers.variable import Variable, VariableValue

BLENDER = Variable(
    name="blender",
    values=(
        VariableValue(value="/opt/blender", platform="linux"),
        VariableValue(value="C:\\blender.exe", platform="windows"),
    ),
)


def lines(*commands: Any, platform: str = "linux", given: int = 10) -> list[str]:
    words = CommandWords(VariableTable([BLENDER], "linux"), since=5)
    return words.lines(json.dumps(commands), platform, given)


@pytest.mark.parametrize(
    ("platform", "exe"), [("linux", "/opt/blender"), ("windows", "blender.exe")]
)
def test_variables_have_the_values_of_the_workers_platform(platform, exe) -> None:
    (line,) = lines({"name": "run", "parameters": {"exe": "{blender}"}}, platform=platform)
    assert line.startswith("    run {")
    assert exe in line


def test_it_is_said_when_variables_may_have_been_others() -> None:
    command = {"name": "run", "parameters": {}}
    assert lines(command) == ["    run {}"]
    assert lines(command, given=4) == ["    run {} (with the variables as they are now)"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"password": "swordfish"},
        {"login": {"apiToken": "swordfish"}},
        {"args": ["--token", "swordfish", "x"]},
        {"args": ["--api-token=swordfish"]},
        {"args": [["-token", "swordfish"]]},
        {"tokens": ["swordfish", "swordfish"]},
        {"url": "https://me:swordfish@host/x"},
        {"args": ["--url", "https://me:swordfish@host/x"]},
    ],
)
def test_secrets_are_masked(parameters) -> None:
    (line,) = lines({"name": "run", "parameters": parameters})
    assert "swordfish" not in line
    assert MASK in line


def test_what_only_looks_like_one_is_shown() -> None:
    (line,) = lines(
        {"name": "run", "parameters": {"args": ["token", "a", "--frame", "3", 4, None]}}
    )
    assert line == '    run {"args": ["token", "a", "--frame", "3", 4, null]}'


def test_a_long_command_is_cut_and_one_without_parameters_is_fine() -> None:
    long, short = lines({"name": "run", "parameters": {"script": "x" * 5000}}, {"name": "wait"})
    assert (len(long), long[-3:]) == (4 + LONGEST + 3, "...")
    assert short == "    wait {}"
