"""Settings files of Flamenco 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flamenco_core.config import Loaded
from flamenco_core.errors import BadRequest, ConfigError
from flamenco_core.manager.configuration import Configuration
from flamenco_core.manager.settings import ManagerSettings, load_manager_settings
from flamenco_core.manager.variables import variables_as_written

VERSION_1 = """\
# The farm of old.
database_url: mongodb://localhost/flamanager
listen: '[::0]:8083'
own_url: http://192.168.3.108:8083/
manager_secret: swordfish
ssdp_discovery: false
active_task_timeout_interval: 3m
active_worker_timeout_interval: 15m
blacklist_threshold: 7
variables:
    blender:
        windows: c:/temp/blender.exe
        linux: /opt/blender
        darwin: ''
path_replacement:
    render:
        windows: 'r:/'
        linux: /render
"""
VERSION_2 = """\
_meta:
    version: 2
manager_name: Old  # ask Ops
worker_cleanup_max_age: 36h
task_fail_after_softfail_count: 4
variables:
    blender:
        direction: oneway
        values:
        - {audience: users, platform: linux, value: /usr/bin/blender}
        - {audience: workers, platforms: [linux, darwin], value: /opt/blender}
    render:
        direction: twoway
        values:
        - {platform: linux, value: /render}
"""


@pytest.fixture
def load(tmp_path: Path):
    def load(text: str) -> Loaded[ManagerSettings]:
        path = tmp_path / "flamenco-manager.yaml"
        path.write_text(text)
        return load_manager_settings(path, environ={})

    return load


def values(loaded: Loaded[ManagerSettings], name: str) -> list[tuple[str, str, str]]:
    found = variables_as_written(loaded.settings.variables)[name]["values"]
    return [(one["audience"], one["platform"], one["value"]) for one in found]


def is_twoway(loaded: Loaded[ManagerSettings]) -> dict[str, bool]:
    return {variable.name: variable.is_twoway for variable in loaded.settings.variables}


def test_version_1_is_read_as_it_was_meant(load) -> None:
    loaded = load(VERSION_1)
    settings = loaded.settings
    assert (str(settings.task_timeout), str(settings.worker_timeout)) == ("3m0s", "15m0s")
    assert (settings.blocklist_threshold, settings.autodiscoverable) == (7, False)
    assert settings.listen == "[::0]:8083"
    assert is_twoway(loaded) == {"blender": False, "render": True}
    assert values(loaded, "blender") == [
        ("all", "windows", "c:/temp/blender.exe"),
        ("all", "linux", "/opt/blender"),
    ]


def test_version_2_is_read_as_it_was_meant(load) -> None:
    loaded = load(VERSION_2)
    assert loaded.settings.manager_name == "Old"
    assert loaded.settings.remove_workers_after == 2
    assert is_twoway(loaded) == {"blender": False, "render": True}
    assert values(loaded, "blender") == [
        ("users", "linux", "/usr/bin/blender"),
        ("workers", "linux", "/opt/blender"),
        ("workers", "darwin", "/opt/blender"),
    ]


def test_people_are_told_and_what_is_gone_is_no_mistake(load) -> None:
    loaded = load(VERSION_1)
    first, second = loaded.notes
    assert "settings of Flamenco 2 (version 1)" in first
    assert second.endswith("not used any more: database_url, own_url, manager_secret")
    assert "swordfish" not in str(loaded.notes)
    assert loaded.unknown() == []
    assert len(load(VERSION_2).notes) == 1


@pytest.mark.parametrize("text", ["", "_meta: {version: 3}\n", "manager_name: A\n", "nix: 1\n"])
def test_a_file_of_today_is_left_as_it_is(load, text) -> None:
    assert load(text).notes == ()


def test_a_misspelt_key_is_still_reported_with_its_line(load) -> None:
    (unknown,) = load(f"{VERSION_2}task_timeoutt: 3m\n").unknown()
    assert ":16: unknown setting 'task_timeoutt'; did you mean 'task_timeout'" in str(unknown)


def test_where_old_and_new_name_are_there_the_new_one_counts(load) -> None:
    loaded = load("_meta: {version: 2}\nblacklist_threshold: 7\nblocklist_threshold: 8\n")
    assert loaded.settings.blocklist_threshold == 8


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("_meta: {version: 4}", ":1: _meta.version: must be 3 or older; a newer Manager"),
        ("_meta: {version: two}", ":1: _meta.version: must be 3"),
        ("_meta: {version: -1}", ":1: _meta.version: must be 3"),
        ("_meta: {version: true}", ":1: _meta.version: must be 3"),
        ("_meta: {version: 2}\nblacklist_threshold: x", ":2: blocklist_threshold: must be a who"),
        ("active_task_timeout_interval: soon", ":1: task_timeout: must be a duration"),
        ("worker_cleanup_max_age: old", ":1: remove_workers_after: must be a whole number"),
        ("path_replacement: 3", ":1: path_replacement: must be a section"),
        ("path_replacement:\n  render: 3", ":2: variables.render: must be a section"),
        ("_meta: {version: 2}\nvariables: [a]", ":2: variables: must be a section"),
        (
            "_meta: {version: 2}\nvariables:\n  a:\n    direction: up\n    values: []",
            ":4: variables: must be oneway or twoway",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(load, text, words) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"{text}\n")
    assert words in str(caught.value)


# -- when it is changed


@pytest.mark.parametrize("text", [VERSION_1, VERSION_2])
async def test_with_the_first_change_it_is_written_in_todays_format(load, text) -> None:
    old = load(text)
    configuration = Configuration(old, lambda loaded: None)
    await configuration.change({"fail_percentage": 20})
    fresh = load_manager_settings(old.path, environ={})
    assert fresh.notes == ()
    assert fresh.settings.fail_percentage == 20
    for name in ("task_timeout", "blocklist_threshold", "remove_workers_after", "variables"):
        assert getattr(fresh.settings, name) == getattr(old.settings, name), name
    assert old.path is not None
    written = old.path.read_text()
    assert "direction" not in written
    assert "path_replacement" not in written
    assert ("# ask Ops" in written) == ("# ask Ops" in text)
    assert Path(f"{old.path}~").read_text() == text


async def test_a_variable_that_is_removed_is_gone(load) -> None:
    old = load(VERSION_1)
    configuration = Configuration(old, lambda loaded: None)
    present: dict[str, Any] = variables_as_written(old.settings.variables)
    await configuration.change({"variables": {"blender": present["blender"]}})
    assert is_twoway(load_manager_settings(old.path, environ={})) == {"blender": False}


async def test_the_format_cannot_be_set(load) -> None:
    configuration = Configuration(load("manager_name: A\n"), lambda loaded: None)
    with pytest.raises(BadRequest, match=r"_meta\.version: must be 3"):
        await configuration.change({"_meta": {"version": 2}})
