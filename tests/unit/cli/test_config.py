"""``flamenco config``: who has set what, and what is wrong with a file."""

from __future__ import annotations

import json

import jsonschema
import pytest

from flamenco_core.config.secrets import MASK


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """A folder with settings; nothing of the machine that runs the tests."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flamenco-manager.yaml").write_text(
        "_meta: {version: 3}\nmanager_name: Attic\nmqtt: {client: {password: hunter2}}\n"
        "plugins: {javascript: {seconds: 2}}\n"
    )
    return tmp_path


def test_each_setting_is_shown_with_its_origin(flamenco, monkeypatch):
    monkeypatch.setenv("FLAMENCO_LISTEN", ":81")
    outcome = flamenco("config", "show")
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in outcome.out.splitlines()}
    assert outcome.code == 0
    assert lines["manager_name"] == "Attic flamenco-manager.yaml:2 at once"
    assert lines["listen"] == ":81 environment: FLAMENCO_LISTEN after a restart"
    assert lines["fail_percentage"] == "10 default at once"
    assert lines["shaman.garbageCollect.period"] == "24h0m0s default has no effect yet"
    assert lines["plugins.javascript.seconds"].startswith("2.0 flamenco-manager.yaml:4")
    assert "hunter2" not in outcome.out


def test_programs_get_json(flamenco):
    listed = {s["key"]: s for s in flamenco("config", "show", "--json").json}
    assert listed["mqtt.client.password"]["value"] == MASK
    assert listed["variables"]["value"]["blenderArgs"]["values"][0]["value"] == "-b -y"
    assert listed["manager_name"]["source"] == "file"


def test_a_folder_or_a_file_can_be_named(flamenco, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "flamenco-manager.yaml").write_text("manager_name: Cellar\n")
    for option in (["--data", "data"], ["--config", "data/flamenco-manager.yaml"]):
        assert "Cellar" in flamenco("config", "show", *option).out
    assert flamenco("config", "show", "--config", "missing.yaml").code == 1


def test_a_right_file_is_fine(flamenco):
    outcome = flamenco("config", "check", "flamenco-manager.yaml")
    assert (outcome.code, outcome.out) == (0, "flamenco-manager.yaml: fine\n")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "listen: x\ntask_timeout: soon\n",
            ["flamenco-manager.yaml:1: listen: must be", "flamenco-manager.yaml:2: task_timeout"],
        ),
        ("manager_name: [half\n", ["flamenco-manager.yaml:2: not valid YAML"]),
        (
            "plugins:\n  javascript:\n    seconds: fast\n",
            ["flamenco-manager.yaml:3: plugins.javascript.seconds: must be a number"],
        ),
    ],
)
def test_each_mistake_is_a_line_with_file_and_line(flamenco, here, text, lines):
    (here / "flamenco-manager.yaml").write_text(text)
    outcome = flamenco("config", "check", "flamenco-manager.yaml")
    assert outcome.code == 1
    shown = outcome.out.splitlines()
    assert len(shown) == len(lines)
    assert all(is_.startswith(wanted) for is_, wanted in zip(shown, lines, strict=True)), shown


def test_an_unknown_key_is_told_but_no_mistake(flamenco, here):
    (here / "flamenco-manager.yaml").write_text("worker_timeuot: 1m\n")
    outcome = flamenco("config", "check", "flamenco-manager.yaml")
    assert outcome.code == 0
    assert "did you mean 'worker_timeout'?" in outcome.out


def test_the_environment_is_not_the_files_fault(flamenco, monkeypatch):
    monkeypatch.setenv("FLAMENCO_LISTEN", "x")
    assert flamenco("config", "check", "flamenco-manager.yaml").code == 0


def test_the_schema_fits_a_settings_file(flamenco):
    schema = json.loads(flamenco("config", "schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "javascript" in schema["properties"]["plugins"]["properties"]


def test_a_broken_section_of_a_plugin_does_not_hide_the_rest(flamenco, here):
    (here / "flamenco-manager.yaml").write_text("plugins: {javascript: {seconds: fast}}\n")
    outcome = flamenco("config", "show")
    assert outcome.code == 0
    assert "flamenco-manager.yaml:1: plugins.javascript.seconds" in outcome.err
    assert "manager_name" in outcome.out
