from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from flamenco_core.config import Duration, Loaded
from flamenco_core.errors import ConfigError
from flamenco_core.manager.settings import ManagerSettings, load_manager_settings
from flamenco_core.manager.variables import read_variables, variables_as_written
from flamenco_core.offers.variable import Variable, VariableValue

# What Flamenco 3 writes for itself: its keys, its defaults, a few invented values.
FLAMENCO_3 = """\
# Configuration file for Flamenco.
_meta:
  version: 3
manager_name: Flamenco
database: flamenco-manager.sqlite
database_check_period: 10m0s
listen: :8080
autodiscoverable: true
local_manager_storage_path: ./flamenco-manager-storage
shared_storage_path: /mnt/farm
shaman:
  enabled: true
  garbageCollect:
    period: 24h0m0s
    maxAge: 744h0m0s
task_timeout: 10m0s
worker_timeout: 1m0s
blocklist_threshold: 3
task_fail_after_softfail_count: 3
mqtt:
  client:
    broker: ""
    clientID: flamenco
    topic_prefix: flamenco
    username: ""
    password: ""
variables:
  blender:
    values:
      - platform: linux
        value: blender
      - platform: windows
        value: blender.exe
      - platform: darwin
        value: blender
  blenderArgs:
    values:
      - platform: all
        value: -b -y
  storage:
    is_twoway: true
    values:
      - platforms: [linux, darwin]
        value: /mnt/farm
      - audience: workers
        platform: Windows
        value: F:\\farm
"""

Load = Callable[..., Loaded[ManagerSettings]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str, environ: Mapping[str, str] | None = None) -> Loaded[ManagerSettings]:
        path = tmp_path / "flamenco-manager.yaml"
        path.write_text(text)
        return load_manager_settings(path, environ=environ or {})

    return load


def test_a_file_of_flamenco_3_is_read_as_it_is(load: Load, tmp_path: Path) -> None:
    loaded = load(FLAMENCO_3)
    settings = loaded.settings
    assert loaded.unknown() == []
    assert settings.listen == ":8080"
    assert settings.host_and_port == ("", 8080)
    assert settings.shared_storage_path == str(Path("/mnt/farm"))
    assert settings.database == str(tmp_path / "flamenco-manager.sqlite")
    assert settings.local_manager_storage_path == tmp_path / "flamenco-manager-storage"
    assert settings.shaman.garbage_collect.max_age == Duration.parse("744h")
    assert settings.variables[-1] == Variable(
        name="storage",
        is_twoway=True,
        values=(
            VariableValue(value="/mnt/farm", platform="linux"),
            VariableValue(value="/mnt/farm", platform="darwin"),
            VariableValue(value="F:\\farm", audience="workers", platform="windows"),
        ),
    )
    assert not settings.is_first_run


def test_without_a_file_the_defaults_are_flamencos_but_only_this_machine_can_reach_it(
    tmp_path: Path,
) -> None:
    settings = load_manager_settings(tmp_path / "none.yaml", environ={}).settings
    assert settings.listen == "127.0.0.1:8080"
    assert settings.is_first_run
    assert settings.shaman.enabled is (sys.platform != "win32")
    assert settings.task_timeout == Duration.parse("10m")
    assert settings.worker_timeout == Duration.parse("1m")
    assert settings.fail_percentage == 10
    assert [variable.name for variable in settings.variables] == ["blender", "blenderArgs"]


def test_an_empty_file_has_the_defaults(load: Load) -> None:
    loaded = load("")
    assert loaded.exists
    assert loaded.settings == load_manager_settings(loaded.path, environ={}).settings


def test_paths_start_from_the_files_folder(load: Load, tmp_path: Path) -> None:
    settings = load("shared_storage_path: ../share\nplugins_dir: plug\n").settings
    assert settings.shared_storage_path == str(tmp_path.parent / "share")
    assert settings.plugins_dir == tmp_path / "plug"


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("farm.sqlite", "{}/farm.sqlite"),
        ("' farm.sqlite '", "{}/farm.sqlite"),
        ("sqlite:farm.sqlite", "{}/farm.sqlite"),
        ("sqlite:///farm.sqlite", "{}/farm.sqlite"),
        ("sqlite:////var/farm.sqlite", "/var/farm.sqlite"),
        ("file:farm.sqlite?mode=rwc", "{}/farm.sqlite"),
        ("/var/farm.sqlite", "/var/farm.sqlite"),
        ("postgresql+psycopg://me@db/farm", "postgresql+psycopg://me@db/farm"),
        ("postgresql://me@db/farm", "postgresql+psycopg://me@db/farm"),
        ("postgres://me@db/farm", "postgresql+psycopg://me@db/farm"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")
def test_databases(load: Load, tmp_path: Path, written: str, used: str) -> None:
    assert load(f"database: {written}\n").settings.database == used.format(tmp_path)


def test_a_database_of_windows_is_a_file(load: Load) -> None:
    assert load("database: 'C:\\farm.sqlite'\n").settings.database.endswith("C:\\farm.sqlite")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("_meta: {version: 4}", "_meta.version: must be 3 or older; a newer Manager wrote"),
        ("database: ''", "database: must be a file for SQLite"),
        ("database: mysql://x", "database: must be a file"),
        ("listen: here", "listen: must be HOST:PORT"),
        ("listen: 8080", "listen: must be HOST:PORT"),
        ("listen: :99999", "listen: must be HOST:PORT"),
        ("task_timeout: 10", "task_timeout: must be a duration"),
        ("task_timeouts: 2h", "task_timeouts: must be a section"),
        ("task_timeouts: {blender: 10}", "task_timeouts: must be a duration"),
        ("blocklist_expires_after: soon", "blocklist_expires_after: must be a duration"),
        ("fail_percentage: 0", "fail_percentage: must be >= 1"),
        ("fail_percentage: 101", "fail_percentage: must be <= 100"),
        ("blocklist_threshold: -1", "blocklist_threshold: must be >= 0"),
        ("task_fail_after_softfail_count: 0", "must be >= 1"),
        ("shaman: {garbageCollect: {maxAge: 31d}}", "shaman.garbageCollect.maxAge: must be"),
        ("variables: [x]", "variables: must be a section"),
        ("variables: {x: 1}", "variables.x: must be a section"),
        ("variables: {x: {values: 1}}", "variables.x.values: must be a list"),
        ("variables: {x: {is_twoway: 1}}", "variables.x.is_twoway: must be true or false"),
        ("variables: {x: {values: [3]}}", "variables.x.values: must have a 'value'"),
        ("variables: {x: {values: [{platform: all}]}}", "must have a 'value'"),
    ],
)
def test_a_wrong_setting_is_named(load: Load, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"# farm\n{text}\n")
    assert "flamenco-manager.yaml:2: " in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        (":8080", ("", 8080)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("[::1]:8080", ("::1", 8080)),
        ("[::]:0", ("::", 0)),
        ("farm.example:80", ("farm.example", 80)),
    ],
)
def test_addresses_to_listen_on(load: Load, listen: str, expected: tuple[str, int]) -> None:
    assert load(f"listen: '{listen}'\n").settings.host_and_port == expected


def test_numbers_and_truths_as_variable_values_are_texts(load: Load) -> None:
    values = "[{platform: all, value: 007}, {platform: linux, value: true}]"
    (variable,) = load(f"variables: {{x: {{values: {values}}}}}\n").settings.variables
    assert [value.value for value in variable.values] == ["007", "true"]


def test_useless_values_are_logged_not_fatal(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    values = "[{value: a}, {audience: robots, platform: all, value: b}]"
    with caplog.at_level(logging.WARNING):
        (variable,) = load(f"variables: {{x: {{values: {values}}}}}\n").settings.variables
    assert "without 'platform' is not used" in caplog.text
    assert "nobody is audience 'robots'" in caplog.text
    assert [value.value for value in variable.values] == ["b"]


def test_variables_are_written_as_they_are_read(load: Load) -> None:
    from flamenco_core.config.layers import as_node

    variables = load(FLAMENCO_3).settings.variables
    assert read_variables(as_node(variables_as_written(variables), "test")) == variables


def test_the_mqtt_password_is_not_printed(load: Load) -> None:
    settings = load("mqtt: {client: {password: hunter2}}\n").settings
    assert settings.mqtt.client.password == "hunter2"
    assert "hunter2" not in repr(settings)


def test_the_environment_wins_over_the_file(load: Load) -> None:
    environ = {"FLAMENCO_LISTEN": ":9090", "FLAMENCO_SHAMAN__GARBAGECOLLECT__MAXAGE": "1h"}
    settings = load(FLAMENCO_3, environ).settings
    assert settings.listen == ":9090"
    assert settings.shaman.garbage_collect.max_age == Duration.parse("1h")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("limits: {connections: 0}", "limits.connections"),
        ("limits: {connections: many}", "whole number"),
        ("limits: {idle_timeout: 0s}", "limits.idle_timeout"),
        ("limits: {header_timeout: soon}", "duration such as"),
        ("limits: {header_timeout: -1s}", "must not be negative"),
        ("limits: {requests_per_minute: -1}", "limits.requests_per_minute"),
        ("limits: 5", "must be a section"),
        ("trusted_proxies: [proxy.example]", "addresses or networks such as 10.0.0.0/8"),
        ("trusted_proxies: [10.0.0.0/99]", "trusted_proxies"),
        ("public_url: farm.example", "such as https://farm.example"),
        ("public_url: https://farm.example/flamenco", "without a path"),
        ("public_url: ftp://farm.example", "public_url"),
        ("hosts: [https://farm.example]", "names such as farm.example"),
        ("hosts: ['farm.example:8080']", "not 'farm.example:8080'"),
        ("hosts: ['a.*.example']", "hosts"),
    ],
)
def test_a_wrong_word_about_the_network_is_named(load: Load, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        load(text)


def test_limits_and_names_can_be_set(load: Load) -> None:
    settings = load(
        "limits: {header_timeout: 0s, connections: 5000, connections_per_address: 0}\n"
        "hosts: [farm.example, '*.studio.example']\n"
        "public_url: https://farm.example/\n"
        "trusted_proxies: [127.0.0.1, 10.0.0.0/8, '::1']\n"
    ).settings
    assert settings.limits.header_timeout == Duration()
    assert settings.limits.connections == 5000
    assert settings.limits.body_timeout == Duration.parse("30s")
    assert settings.hosts == ("farm.example", "*.studio.example")
    assert settings.trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "::1")
