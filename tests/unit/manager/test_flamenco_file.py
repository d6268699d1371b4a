"""A whole settings file as a studio that comes from Flamenco 3.9 has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flamenco_core.config import Duration, Loaded
from flamenco_core.config.listing import without_effect
from flamenco_core.domain.variables import VariableTable
from flamenco_core.manager.settings import ManagerSettings, load_manager_settings

TEXT = """\
# The farm of the third floor. Restart the service after an edit.
#
_meta:
  version: 3
manager_name: Third Floor
database: /var/lib/farm/farm.sqlite
database_check_period: 1h0m0s
listen: :8080
autodiscoverable: true

# Keep these on the quick disk.
local_manager_storage_path: ./farm-local
shared_storage_path: /mnt/farm
shaman:
  enabled: false
  garbageCollect:
    period: 24h0m0s
    maxAge: 744h0m0s
    extraCheckoutPaths: []
task_timeout: 45m0s
worker_timeout: 2m30s
blocklist_threshold: 5
task_fail_after_softfail_count: 2
mqtt:
  client:
    enabled: true
    broker: "tcp://broker.example:1883"
    clientID: third-floor
    topic_prefix: farm
    username: farm
    password: correct horse
variables:
  blender:
    values:
      - platform: linux
        value: /opt/blender-5.1/blender
      - platform: windows
        value: C:\\Blender 5.1\\blender.exe
      - platform: darwin
        value: /Applications/Blender.app/Contents/MacOS/Blender
  blenderArgs:
    values:
      - platform: all
        value: -b -y
  projects:
    is_twoway: true
    values:
      - audience: all
        platforms: [linux, darwin]
        value: /mnt/projects
      - audience: workers
        platform: windows
        value: P:\\
      - audience: users
        platform: windows
        value: \\\\store\\projects
      - platform: freebsd
        value: /net/projects
wake_on_lan: true
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded[ManagerSettings]:
    file = tmp_path / "flamenco-manager.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return load_manager_settings(file, environ={})


def test_every_key_is_read(loaded: Any, tmp_path: Path) -> None:
    settings = loaded.settings
    assert settings.manager_name == "Third Floor"
    assert settings.database == "/var/lib/farm/farm.sqlite"
    assert settings.database_check_period == Duration.parse("1h")
    assert settings.host_and_port == ("", 8080)
    assert settings.autodiscoverable is True
    assert settings.local_manager_storage_path == tmp_path / "farm-local"
    assert settings.shared_storage_path == "/mnt/farm"
    assert settings.shaman.enabled is False
    assert settings.shaman.garbage_collect.max_age == Duration.parse("744h")
    assert (settings.task_timeout.seconds, settings.worker_timeout.seconds) == (2700, 150)
    assert (settings.blocklist_threshold, settings.task_fail_after_softfail_count) == (5, 2)
    assert settings.mqtt.client.broker == "tcp://broker.example:1883"
    assert settings.mqtt.client.password == "correct horse"
    assert not settings.is_first_run


def test_variables_mean_what_they_meant(loaded: Any) -> None:
    table = VariableTable(loaded.settings.variables, "linux")
    on_windows = table.values_for("workers", "windows")
    assert on_windows["blender"].value == "C:\\Blender 5.1\\blender.exe"
    assert on_windows["projects"].is_twoway
    assert table.values_for("users", "windows")["projects"].value == "\\\\store\\projects"
    assert table.values_for("workers", "darwin")["projects"].value == "/mnt/projects"
    assert table.values_for("workers", "freebsd")["projects"].value == "/net/projects"
    portable = table.recognize("/mnt/projects/a/shot.blend", "linux")
    assert table.expand_text(portable, "workers", "windows") == "P:\\a\\shot.blend"


def test_what_we_do_not_know_is_kept_and_told_once(loaded: Any) -> None:
    assert [unknown.key for unknown in loaded.unknown()] == [
        "shaman.garbageCollect.extraCheckoutPaths",
        "wake_on_lan",
    ]


def test_what_has_no_effect_yet_is_named(loaded: Any) -> None:
    unused = without_effect(loaded)
    assert "mqtt.client.enabled" in unused
    assert "shaman.enabled" in unused
    assert "task_timeout" not in unused
