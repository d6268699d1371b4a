"""``create_manager``: the one expression that makes a farm."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import httpx
import pytest
from litestar import Litestar, asgi

from flamenco_core import hookimpl
from flamenco_core.errors import DatabaseError, MissingPlugin, PluginError
from flamenco_core.manager import ManagerSettings, create_manager

BUILT_IN = {"discovery", "echo_sleep_test", "housekeeping"}
BUILT_IN |= {"storage", "variables", "worker_identity"}


def states(app: Litestar) -> dict[str, str]:
    return {info.name: info.state for info in app.state.manager.plugins}


class Fine:
    @hookimpl
    def on_event(self) -> None: ...


class Broken:
    @hookimpl
    def register_variables(self) -> None:
        raise OSError("no licence")


def test_the_built_ins_are_plugins_like_others() -> None:
    assert set(states(create_manager(discover=False))) >= BUILT_IN


def test_installed_plugins_come_by_themselves() -> None:
    assert states(create_manager(strict=True)).keys() > BUILT_IN


def test_blocked_plugins_stay_out_wherever_it_is_said() -> None:
    settings = ManagerSettings(blocked=("Fine",))
    app = create_manager(settings, plugins=[Fine()], blocked={"echo_sleep_test"}, discover=False)
    assert states(app)["Fine"] == "blocked"
    assert states(app)["echo_sleep_test"] == "blocked"


@pytest.mark.parametrize("name", ["Broken", "no-such"])
def test_without_a_required_plugin_it_does_not_start(name: str) -> None:
    settings = ManagerSettings(required=(name,))
    with pytest.raises(MissingPlugin, match=name):
        create_manager(settings, plugins=[Broken()], discover=False)


def test_a_required_plugin_that_is_there_is_fine() -> None:
    settings = ManagerSettings(required=("Fine", "storage"))
    create_manager(settings, plugins=[Fine()], discover=False)


async def test_a_broken_plugin_is_listed_not_fatal(manager) -> None:
    async with manager([Broken(), Fine()], strict=False) as running:
        shown = (await running.client.get("/api/v3/plugins")).json()["plugins"]
    by_name = {plugin["name"]: plugin for plugin in shown}
    assert by_name["Broken"]["state"] == "off"
    assert "no licence" in by_name["Broken"]["error"]
    assert by_name["Fine"]["state"] == "on"
    assert "error" not in by_name["Fine"]


@pytest.mark.parametrize("how", ["argument", "settings"])
def test_strict_raises_the_first_fault(how: str) -> None:
    settings = ManagerSettings(strict=how == "settings")
    with pytest.raises(PluginError, match="no licence"):
        create_manager(settings, plugins=[Broken()], discover=False, strict=how == "argument")


def test_a_folder_of_one_file_plugins(tmp_path: Path) -> None:
    (tmp_path / "house.py").write_text(
        "from flamenco_core import hookimpl\n\n\n@hookimpl\ndef on_event():\n    pass\n"
    )
    app = create_manager(ManagerSettings(plugins_dir=tmp_path))
    assert states(app)["house"] == "on"
    assert app.state.manager.plugins["house"].origin == "folder"


@attrs.frozen(kw_only=True)
class Section:
    color: str = "red"


async def test_settings_in_code_have_sections_for_plugins(manager) -> None:
    settings = {"plugins": {"paint": {"color": "blue"}}}
    async with manager(settings=settings) as running:
        assert running.manager.settings_of("paint", Section) == Section(color="blue")
        assert running.manager.settings_of("other", Section) == Section()


def test_settings_in_code_do_not_ask_the_environment(monkeypatch) -> None:
    monkeypatch.setenv("FLAMENCO_MANAGER_NAME", "from the environment")
    app = create_manager(ManagerSettings(manager_name="from code"), discover=False)
    assert app.state.manager.settings.manager_name == "from code"


def test_nothing_is_opened_before_it_starts(tmp_path: Path) -> None:
    create_manager(
        ManagerSettings(
            database=str(tmp_path / "farm.sqlite"),
            local_manager_storage_path=tmp_path / "local",
            shared_storage_path=str(tmp_path),
        ),
        discover=False,
    )
    assert list(tmp_path.iterdir()) == []


async def test_a_studios_script(manager, repository: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(repository / "examples")
    from house_rules import HouseRules

    async with manager([HouseRules()]) as running:
        body = {"name": "x", "type": "echo-sleep-test", "submitter_platform": "linux"}
        body["settings"] = {"message": "x", "frames": "1-2000"}
        answer = await running.client.post("/api/v3/jobs", json=body)
        assert "2000 frames are too many" in answer.json()["message"]
        assert (await running.client.get("/house/failures")).json() == {}
    sys.modules.pop("house_rules")


async def test_below_a_path_of_another_application(manager) -> None:
    async with manager() as running:

        @asgi("/farm", is_mount=True, copy_scope=True)
        async def farm(scope: Any, receive: Any, send: Any) -> None:
            await running.app({**scope, "root_path": "/farm"}, receive, send)

        outer = Litestar([farm], openapi_config=None, logging_config=None)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(outer),  # type: ignore[arg-type]
            base_url="http://studio.test",
        ) as client:
            assert (await client.get("/farm/api/v3/version")).status_code == 200
            assert (await client.get("/farm/api/v3/jobs/types")).status_code == 200
            assert (await client.get("/farm/api/v3/no-such")).json()["code"] == 404
            body = {"name": "w", "platform": "linux", "secret": "s", "supported_task_types": []}
            answer = await client.post("/farm/api/v3/worker/register-worker", json=body)
            auth = (answer.json()["uuid"], "s")
            assert (await client.get("/farm/api/v3/worker/state", auth=auth)).status_code == 204


async def test_two_managers_in_one_process_know_nothing_of_each_other(manager, tmp_path) -> None:
    heard: list[str] = []

    class Listener:
        def __init__(self, name: str) -> None:
            self.name = name

        @hookimpl
        def on_event(self, event: object) -> None:
            heard.append(f"{self.name} {type(event).__name__}")

        @hookimpl
        def find_identity(self) -> None:
            heard.append(f"{self.name} asked")

    other = {"database": str(tmp_path / "other.sqlite")}
    async with manager([Listener("a")]) as one, manager([Listener("b")], settings=other) as two:
        body = {"name": "w", "platform": "linux", "secret": "s", "supported_task_types": []}
        answer = await one.client.post("/api/v3/worker/register-worker", json=body)
        auth = (answer.json()["uuid"], "s")
        assert (await one.client.get("/api/v3/worker/state", auth=auth)).status_code == 204
        assert (await two.client.get("/api/v3/worker/state", auth=auth)).status_code == 403
    assert heard.count("a WorkerRegistered") == 1
    assert "b WorkerRegistered" not in heard
    assert heard.count("b asked") == 1


async def test_a_plugin_of_one_manager_is_not_in_the_next(manager, tmp_path) -> None:
    plugin = ModuleType("house")
    plugin.on_event = hookimpl(specname="on_event")(lambda: None)  # type: ignore[attr-defined]
    assert "house" in states(create_manager(plugins=[plugin], discover=False))
    assert "house" not in states(create_manager(discover=False))


async def test_one_database_serves_one_manager_at_a_time(manager) -> None:
    async with manager():
        in_use = pytest.RaisesExc(DatabaseError, match="another Manager uses")
        with pytest.RaisesGroup(in_use, flatten_subgroups=True):
            async with manager():
                pass
    async with manager() as running:
        assert (await running.client.get("/api/v3/version")).is_success
