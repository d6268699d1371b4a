"""Sections of plugins that change at work: who takes the change, and who is told to restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import pytest

from flamenco_core import hookimpl
from flamenco_core.config import Duration, option
from flamenco_core.domain.events import SettingsChanged
from flamenco_core.manager.settings import load_manager_settings
from flamenco_core.testing import RunningManager


@attrs.frozen(kw_only=True)
class ChatSettings:
    token: str = ""
    pause: Duration = option(Duration.of(1), "Between two words.")


class Chat:
    """A plugin that reads its section once."""

    @hookimpl
    def register_services(self, host: Any) -> list[Any]:
        host.settings_of("chat", ChatSettings)
        return []


@attrs.frozen(kw_only=True)
class PaintSettings:
    color: str = "red"
    brush: str = option("flat", "Fixed as long as the can is open.", acts="after a restart")


class Follower:
    """A plugin that takes its section at work, unless it is told to fail."""

    def __init__(self) -> None:
        self.seen: list[PaintSettings] = []
        self.heard: list[Any] = []
        self.fails = False

    @hookimpl
    def register_services(self, host: Any) -> list[Any]:
        self.seen.append(host.follow_settings("paint", PaintSettings, self.take))
        return []

    @hookimpl
    def on_event(self, event: Any) -> None:
        self.heard.append(event)

    def take(self, settings: PaintSettings) -> None:
        if self.fails:
            raise OSError("no color")
        self.seen.append(settings)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "flamenco-manager.yaml"
    text = f"manager_name: Basement\nshared_storage_path: {tmp_path}\n"
    file.write_text(text + "plugins: {chat: {token: swordfish}}\n")
    return file


@pytest.fixture
async def painter(manager: Any, file: Path) -> AsyncIterator[tuple[RunningManager, Follower]]:
    follower = Follower()
    loaded = load_manager_settings(file, environ={})
    async with manager([Chat(), follower], settings=loaded) as running:
        yield running, follower


async def get(api: RunningManager, what: str) -> Any:
    return (await api.client.get(f"/api/v3/configuration/{what}")).json()


async def put(api: RunningManager, body: Any) -> Any:
    return await api.client.put("/api/v3/configuration/file", json=body)


async def test_a_plugin_that_follows_its_section_gets_the_new_one(painter) -> None:
    api, follower = painter
    answer = await put(api, {"plugins": {"paint": {"color": "blue"}, "chat": {"pause": "9s"}}})
    assert answer.headers["restart-needed"] == "plugins.chat.pause"
    assert follower.seen == [PaintSettings(), PaintSettings(color="blue")]
    await put(api, {"manager_name": "Attic"})
    assert len(follower.seen) == 2  # nothing of its own
    acts = {s["key"]: s["acts"] for s in (await get(api, "settings"))["settings"]}
    assert acts["plugins.paint.color"] == "at once"
    assert acts["plugins.paint.brush"] == acts["plugins.chat.pause"] == "after a restart"
    sections = (await get(api, "schema"))["properties"]["plugins"]["properties"]
    assert sections["paint"]["properties"]["color"]["x-acts"] == "at once"
    assert sections["chat"]["properties"]["pause"]["x-acts"] == "after a restart"


async def test_what_a_plugin_says_needs_a_restart_does(painter) -> None:
    api, _ = painter
    answer = await put(api, {"plugins": {"paint": {"brush": "round", "color": "blue"}}})
    assert answer.headers["restart-needed"] == "plugins.paint.brush"


async def test_what_a_plugin_could_not_take_needs_a_restart(painter, caplog) -> None:
    api, follower = painter
    follower.fails = True
    answer = await put(api, {"plugins": {"paint": {"color": "blue"}}})
    assert answer.headers["restart-needed"] == "plugins.paint.color"
    assert "plugin 'paint' could not take its new settings" in caplog.text
    assert "no color" in caplog.text
    follower.fails = False
    answer = await put(api, {"plugins": {"paint": {"color": "green"}}})
    assert "restart-needed" not in answer.headers
    assert follower.seen[-1].color == "green"


async def test_a_wrong_section_reaches_no_plugin(painter, file) -> None:
    api, follower = painter
    answer = await put(api, {"plugins": {"paint": {"color": [1]}}})
    assert answer.status_code == 400
    assert "plugins.paint.color: must be a text" in answer.json()["message"]
    assert follower.seen == [PaintSettings()]


async def test_plugins_hear_which_settings_changed(painter, file) -> None:
    api, follower = painter
    file.write_text(file.read_text().replace("Basement", "Attic").replace("swordfish", "cod"))
    for _ in range(2):
        await api.manager.configuration.look()
    with anyio.fail_after(5):
        while not (told := [e for e in follower.heard if isinstance(e, SettingsChanged)]):
            await anyio.lowlevel.checkpoint()
    keys = ("manager_name", "plugins.chat.token")
    assert told == [SettingsChanged(keys=keys, source="file", restart_needed=keys[1:])]
