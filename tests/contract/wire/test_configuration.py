"""The settings over the API: as Flamenco's settings page reads and writes them."""

from __future__ import annotations

import logging
import stat
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import attrs
import jsonschema
import pytest

from flamenco_core import hookimpl
from flamenco_core.config import Duration, option
from flamenco_core.config.secrets import MASK
from flamenco_core.manager.settings import load_manager_settings
from flamenco_core.manager.wanted import FLAMENCO_KEYS
from flamenco_core.testing import RunningManager

TEXT = """\
# The farm in the basement.
_meta: {version: 3}
manager_name: Basement  # ask Ops
task_timeout: 20m
shared_storage_path: SHARED
our_own: {of: the house}
mqtt:
  client:
    password: hunter2
variables:
  blender:
    values:
      - {platforms: [linux, darwin], value: blender}
      - {platform: windows, audience: workers, value: 'C:\\blender.exe'}
plugins:
  chat: {token: swordfish, pause: 5s}
"""


@attrs.frozen(kw_only=True)
class ChatSettings:
    token: str = ""
    pause: Duration = option(Duration.of(1), "Between two words.")


class Chat:
    @hookimpl
    def register_services(self, host: Any) -> list[Any]:
        host.settings_of("chat", ChatSettings)
        return []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    shared = tmp_path / "shared"
    shared.mkdir()
    file = tmp_path / "farm" / "flamenco-manager.yaml"
    file.parent.mkdir()
    file.write_text(TEXT.replace("SHARED", str(shared)), encoding="utf-8")
    return file


@pytest.fixture
def start(manager: Any, file: Path, judge: Any) -> Callable[..., Any]:
    def start(environ: dict[str, str] | None = None, **overrides: Any) -> Any:
        loaded = load_manager_settings(file, overrides=overrides, environ=environ or {})
        return manager([Chat()], settings=loaded)

    return start


@pytest.fixture
async def api(start: Any, judge: Any) -> AsyncIterator[RunningManager]:
    async with start() as running:
        running.client.event_hooks["response"].append(judge)
        yield running


async def get(api: RunningManager, what: str) -> Any:
    answer = await api.client.get(f"/api/v3/configuration/{what}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def put(api: RunningManager, body: Any) -> Any:
    return await api.client.put("/api/v3/configuration/file", json=body)


async def test_the_settings_page_gets_what_it_knows_and_nothing_else(api) -> None:
    shown = await get(api, "file")
    assert tuple(shown) == FLAMENCO_KEYS
    assert shown["_meta"] == {"version": 3}
    assert (shown["task_timeout"], shown["worker_timeout"]) == ("20m0s", "1m0s")
    assert shown["shaman"]["garbageCollect"] == {"period": "24h0m0s", "maxAge": "744h0m0s"}
    assert shown["mqtt"]["client"]["clientID"] == "flamenco"


async def test_secrets_are_masked_wherever_they_are_shown(api) -> None:
    assert (await get(api, "file"))["mqtt"]["client"]["password"] == MASK
    for what in ("file", "settings", "state", "schema"):
        text = str(await get(api, what))
        assert "hunter2" not in text
        assert "swordfish" not in text


async def test_saving_what_was_shown_changes_nothing(api, file) -> None:
    before = file.read_text(), file.stat().st_mtime_ns
    assert (await put(api, await get(api, "file"))).status_code == 204
    assert (file.read_text(), file.stat().st_mtime_ns) == before


def as_the_page_sends_it(shown: dict[str, Any]) -> dict[str, Any]:
    """Leave out what Flamenco's page leaves out."""
    for variable in shown["variables"].values():
        for value in variable["values"]:
            if value["audience"] == "all":
                del value["audience"]
    return shown


async def test_saving_one_change_keeps_comments_unknown_keys_and_lists(api, file) -> None:
    before = file.read_text()
    wanted = as_the_page_sends_it(await get(api, "file")) | {"manager_name": "Attic"}
    assert (await put(api, wanted)).status_code == 204
    # The comment keeps its column, so blanks may differ.
    assert file.read_text().split() == before.replace("Basement", "Attic").split()
    assert (file.parent / f"{file.name}~").read_text() == before
    assert (await api.client.get("/api/v3/version")).json()["name"] == "Attic"
    if sys.platform != "win32":
        for saved in (file, file.parent / f"{file.name}~"):
            assert stat.S_IMODE(saved.stat().st_mode) == 0o600


async def test_a_mask_written_back_keeps_the_secret_and_another_text_replaces_it(api, file) -> None:
    wanted = await get(api, "file")
    wanted["mqtt"]["client"]["username"] = "farm"
    assert (await put(api, wanted)).status_code == 204
    assert api.manager.settings.mqtt.client.password == "hunter2"
    wanted["mqtt"]["client"]["password"] = "hunter3"
    assert (await put(api, wanted)).status_code == 204
    assert api.manager.settings.mqtt.client.password == "hunter3"
    wanted["mqtt"]["client"]["password"] = ""
    assert (await put(api, wanted)).status_code == 204
    assert api.manager.settings.mqtt.client.password == ""


async def test_variables_are_added_changed_and_removed(api, file) -> None:
    wanted = await get(api, "file")
    values = wanted["variables"]["blender"]["values"]
    wanted["variables"] = {"farm": {"is_twoway": True, "values": values[:1]}}
    assert (await put(api, wanted)).status_code == 204
    known = (await api.client.get("/api/v3/configuration/variables/workers/linux")).json()
    assert known["farm"] == {"value": "blender", "is_twoway": True}
    assert "blender" not in known
    assert "platforms" not in file.read_text()


async def test_default_variables_stay_when_one_is_changed(api, file) -> None:
    file.write_text(f"shared_storage_path: {api.manager.settings.shared_storage_path}\n")
    await api.manager.configuration.look()
    await api.manager.configuration.look()
    wanted = await get(api, "file")
    wanted["variables"]["blender"]["values"] = [{"platform": "all", "value": "b"}]
    assert (await put(api, wanted)).status_code == 204
    assert {v.name for v in api.manager.settings.variables} == {"blender", "blenderArgs"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task_timeout": "soon"}, ["task_timeout", "must be a duration"]),
        ({"blocklist_threshold": -1}, ["blocklist_threshold", ">= 0"]),
        ({"blocklist_threshold": "many"}, ["blocklist_threshold", "whole number"]),
        ({"listen": "everywhere"}, ["listen", "HOST:PORT"]),
        ({"_meta": {"version": 2}}, ["_meta.version", "must be 3"]),
        ({"variables": []}, ["variables", "must be a section"]),
        ({"variables": {"x": {"values": 3}}}, ["variables.x.values", "must be a list"]),
        ({"plugins": {"chat": {"pause": "x"}}}, ["plugins.chat.pause", "must be a duration"]),
        ({"plugins_dir": "/tmp/mine"}, ["plugins_dir", "by hand"]),
        ({"database": f"postgresql://me:{MASK}@host/x"}, ["database", "write the secret anew"]),
        ({"mqtt": {"client": {"password": f"{MASK}1"}}}, ["password", "write the secret anew"]),
    ],
)
async def test_a_wrong_change_answers_400_and_changes_nothing(api, file, change, words) -> None:
    before = file.read_text(), api.manager.settings
    answer = await put(api, change)
    assert answer.status_code == 400
    assert all(word in answer.json()["message"] for word in words), answer.text
    assert (file.read_text(), api.manager.settings) == before
    assert [path.name for path in file.parent.glob("*.yaml*")] == [file.name]


async def test_a_wrong_change_is_named_with_its_line(api, file) -> None:
    message = (await put(api, {"task_timeout": "soon"})).json()["message"]
    assert message.startswith(f"{file}:4: task_timeout: ")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"3", b"{", b'"manager_name: X"'])
async def test_what_is_no_object_answers_400(api, body) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await api.client.put("/api/v3/configuration/file", content=body, headers=headers)
    assert answer.status_code == 400


async def test_keys_that_are_no_settings_are_left_out_and_logged(api, file, caplog) -> None:
    before = file.read_text()
    assert (await put(api, {"of_tomorrow": 1})).status_code == 204
    assert file.read_text() == before
    assert "of_tomorrow" in caplog.text


async def test_none_of_it_goes_over_a_broken_file(api, file) -> None:
    file.write_text("manager_name: [half\n")
    answer = await put(api, {"manager_name": "Attic"})
    assert answer.status_code == 400
    assert f"{file}:" in answer.json()["message"]
    assert file.read_text() == "manager_name: [half\n"


async def test_what_needs_a_restart_is_named(api, caplog) -> None:
    answer = await put(api, {"listen": ":9", "manager_name": "Attic"})
    assert answer.headers["restart-needed"] == "listen"
    assert (await get(api, "state"))["restart_needed"] == ["listen"]
    assert "restart the Manager to let these count: listen" in caplog.text
    assert "restart-needed" not in (await put(api, {"listen": "127.0.0.1:8080"})).headers


async def test_a_plugins_section_is_saved_and_needs_a_restart(api, file) -> None:
    answer = await put(api, {"plugins": {"chat": {"pause": "9s", "token": MASK}}})
    assert answer.headers["restart-needed"] == "plugins.chat.pause"
    assert "chat: {token: swordfish, pause: 9s}" in file.read_text()


async def test_what_the_environment_says_cannot_be_changed_in_the_file(start, file) -> None:
    environ = {"FLAMENCO_MANAGER_NAME": "Container", "FLAMENCO_MQTT__CLIENT__BROKER": "tcp://b"}
    async with start(environ, blocklist_threshold=5) as running:
        assert (await put(running, await get(running, "file"))).status_code == 204
        answer = await put(running, {"manager_name": "Attic"})
        assert answer.status_code == 400
        assert "FLAMENCO_MANAGER_NAME wins" in answer.json()["message"]
        answer = await put(running, {"blocklist_threshold": 1})
        assert "command line" in answer.json()["message"]
        beside = {"mqtt": {"client": {"username": "farm"}}}
        assert (await put(running, beside)).status_code == 204


async def test_settings_given_in_code_have_no_file_to_change(manager) -> None:
    async with manager() as running:
        answer = await put(running, {"manager_name": "Attic"})
        assert answer.status_code == 409
        assert "the program that made it" in answer.json()["message"]
        assert (await get(running, "state"))["file"] == ""


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
async def test_a_link_stays_a_link(start, file, tmp_path) -> None:
    real = tmp_path / "real.yaml"
    file.rename(real)
    file.symlink_to(real)
    async with start() as running:
        assert (await put(running, {"manager_name": "Attic"})).status_code == 204
    assert file.is_symlink()
    assert "Attic" in real.read_text()


async def test_a_file_that_cannot_be_written_answers_409_with_the_cure(
    api, file, monkeypatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flamenco_core.config.save.write_private", full)
    answer = await put(api, {"manager_name": "Attic"})
    assert answer.status_code == 409
    assert "No space left on device" in answer.json()["message"]
    assert api.manager.settings.manager_name == "Basement"


async def test_the_schema_describes_all_settings_and_fits_them(api) -> None:
    schema = await get(api, "schema")
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(await get(api, "file"))
    chat = schema["properties"]["plugins"]["properties"]["chat"]["properties"]
    assert chat["pause"]["description"] == "Between two words."
    assert chat["token"]["writeOnly"] is True
    for wrong in ({"fail_percentage": 0}, {"task_timeout": "1 h"}, {"strict": "yes"}):
        assert not validator.is_valid(wrong), wrong


async def test_every_setting_is_listed_with_its_origin(api, file) -> None:
    listed = {s["key"]: s for s in (await get(api, "settings"))["settings"]}
    assert listed["manager_name"] | {"help": ""} == {
        "key": "manager_name",
        "value": "Basement",
        "source": "file",
        "where": f"{file}:3",
        "acts": "at once",
        "help": "",
    }
    assert listed["worker_timeout"]["where"] == "default"
    assert listed["plugins.chat.token"]["value"] == MASK
    assert "value" not in listed["plugins_dir"]


async def test_the_state_names_unknown_and_useless_keys(api, file) -> None:
    state = await get(api, "state")
    assert state == {
        "file": str(file),
        "problem": "",
        "restart_needed": [],
        "no_effect": ["mqtt.client.password"],
        "unknown": [f"{file}:6: unknown setting 'our_own'"],
    }


async def test_an_edit_by_hand_counts_and_a_wrong_one_is_shown(api, file, caplog) -> None:
    caplog.set_level(logging.INFO)
    look = api.manager.configuration.look
    good = file.read_text().replace("Basement", "Attic")
    file.write_text(good)
    # Twice: it is left to come to rest. The Manager's own service may look as well.
    await look()
    await look()
    assert (await api.client.get("/api/v3/version")).json()["name"] == "Attic"
    file.write_text(good.replace("20m", "soon"))
    for _ in range(4):
        await look()
    problem = (await get(api, "state"))["problem"]
    assert problem.startswith(f"{file}:4: task_timeout: must be a duration")
    assert caplog.text.count("the settings stay as they were") == 1
    assert str(api.manager.settings.task_timeout) == "20m0s"
    file.write_text(good)
    await look()
    await look()
    assert (await get(api, "state"))["problem"] == ""
