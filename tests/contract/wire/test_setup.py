"""A first start, as Flamenco's set-up assistant goes through it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from flamenco_core import hookimpl
from flamenco_core.config import load_settings
from flamenco_core.manager.settings import ManagerSettings, load_manager_settings
from flamenco_core.testing import RunningManager

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs are scripts here")
API = "/api/v3/configuration"
UNCHECKED = {"input": "", "path": "", "source": "default", "is_usable": True, "cause": ""}


class Usual:
    """Knows a place where Blender usually is."""

    path = ""

    @hookimpl
    def find_program(self, name: str) -> list[str] | None:
        return [self.path] if self.path and name == "blender" else None


@pytest.fixture
def usual() -> Usual:
    return Usual()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "farm"
    folder.mkdir()
    return folder / "flamenco-manager.yaml"


@pytest.fixture
async def api(manager: Any, file: Path, usual: Usual, judge: Any) -> AsyncIterator[RunningManager]:
    """A Manager at its first start: there is no settings file."""
    loaded = load_manager_settings(file, environ={})
    async with manager([usual], settings=loaded) as running:
        running.client.event_hooks["response"].append(judge)
        yield running


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Path]:
    def make(says: str = "Blender 5.1.0", name: str = "blender", folder: str = "bin") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho noise\necho '{says}'\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only what a test makes is on PATH, and the shell."""
    monkeypatch.delenv("FLAMENCO_BLENDER", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")


async def post(api: RunningManager, what: str, body: Any) -> Any:
    answer = await api.client.post(f"{API}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def confirm(api: RunningManager, storage: Any, blender: Any = UNCHECKED, **more: Any) -> Any:
    body = {"storageLocation": str(storage), "blenderExecutable": blender, **more}
    return await api.client.post(f"{API}/setup-assistant", json=body)


async def test_a_first_start_says_so(api) -> None:
    assert (await api.client.get(API)).json()["isFirstRun"] is True


async def test_a_folder_that_will_do(api, shared) -> None:
    found = await post(api, "check/shared-storage", {"path": str(shared)})
    assert found["path"] == str(shared)
    assert found["is_usable"] is True
    assert found["cause"].startswith("Directory checked successfully")
    assert list(shared.iterdir()) == []


@pytest.mark.parametrize("path", ["", " ", "relative", "\\\\server\\share", "/no/such/place"])
async def test_a_folder_that_will_not_do_is_an_answer_not_an_error(api, path) -> None:
    found = await post(api, "check/shared-storage", {"path": path})
    assert found["is_usable"] is False
    assert found["cause"]


@pytest.mark.parametrize("what", ["check/shared-storage", "check/blender", "setup-assistant"])
@pytest.mark.parametrize("body", [[], {}, {"path": 3}, {"path": None}, "x"])
async def test_a_body_that_is_none_answers_400(api, what, body) -> None:
    assert (await api.client.post(f"{API}/{what}", json=body)).status_code == 400


async def test_blenders_are_found_on_path_and_at_usual_places(api, program, usual) -> None:
    on_path = program()
    usual.path = str(program("Blender 4.5.0", folder="opt"))
    found = (await api.client.get(f"{API}/check/blender")).json()
    assert found == [
        {
            "input": "",
            "path": str(on_path),
            "source": "path_envvar",
            "is_usable": True,
            "cause": "Blender 5.1.0",
        },
        {
            "input": "",
            "path": usual.path,
            "source": "system_location",
            "is_usable": True,
            "cause": "Blender 4.5.0",
        },
    ]


async def test_one_blender_found_in_two_ways_is_listed_once(api, program, usual) -> None:
    usual.path = str(program())
    assert len((await api.client.get(f"{API}/check/blender")).json()) == 1


async def test_no_blender_is_an_empty_list(api, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert (await api.client.get(f"{API}/check/blender")).json() == []


async def test_a_command_and_a_path_and_a_folder_are_checked(api, program) -> None:
    blender = program()
    for text, source in (
        ("blender", "path_envvar"),
        (str(blender), "input_path"),
        (str(blender.parent), "input_path"),
    ):
        assert await post(api, "check/blender", {"path": text}) == {
            "input": text,
            "path": str(blender),
            "source": source,
            "is_usable": True,
            "cause": "Found Blender 5.1.0",
        }


async def test_after_the_assistant_the_farm_works_at_once(api, shared, file, program) -> None:
    blender = await post(api, "check/blender", {"path": str(program())})
    assert (await confirm(api, shared, blender)).status_code == 204
    assert (await api.client.get(API)).json() == {
        "storageLocation": shared.as_posix(),
        "shamanEnabled": False,
        "isFirstRun": False,
    }
    variables = (await api.client.get(f"{API}/variables/workers/windows")).json()
    assert variables["blender"]["value"] == blender["path"]
    assert variables["blenderArgs"]["value"] == "-b -y"
    assert variables["jobs"]["value"] == shared.as_posix()
    stored = load_settings(file, ManagerSettings, environ={}).settings
    assert stored.shared_storage_path == str(shared)
    assert file.read_text().startswith("# Settings of Flamenco.")
    assert "_meta:\n  version: 3\n" in file.read_text()


@pytest.mark.parametrize(
    ("blender", "command"),
    [
        ({"source": "default"}, "blender"),
        ({"source": "file_association", "path": "C:\\x\\blender.exe"}, "blender"),
        ({"source": "path_envvar", "input": "blender-5", "path": "/bin/blender-5"}, "blender-5"),
        ({"source": "path_envvar", "path": "/bin/blender"}, "/bin/blender"),
        ({"source": "input_path", "path": "C:\\A (x86)\\blender.exe"}, "C:\\A (x86)\\blender.exe"),
        ({"source": "system_location", "path": "/opt/blender"}, "/opt/blender"),
    ],
)
async def test_how_blender_was_found_decides_the_variable(api, shared, blender, command) -> None:
    assert (await confirm(api, shared, UNCHECKED | blender)).status_code == 204
    known = (await api.client.get(f"{API}/variables/workers/linux")).json()
    assert known["blender"]["value"] == command


@pytest.mark.parametrize(
    ("storage", "blender", "words"),
    [
        ("", {}, "configuration is incomplete: storageLocation is empty"),
        (None, {"is_usable": False}, "incomplete: blenderExecutable is not usable"),
        (None, {"source": ""}, "must be one of file_association"),
        (None, {"source": "guessed"}, "must be one of"),
        (None, {"source": "file_association"}, "incomplete: blenderExecutable.path is empty"),
        (None, {"source": "input_path"}, "incomplete: blenderExecutable.path is empty"),
        (None, {"source": "path_envvar"}, "incomplete: blenderExecutable.input is empty"),
        ("/no/such/folder", {}, "storageLocation: The path does not exist"),
    ],
)
async def test_what_is_incomplete_answers_400(api, shared, file, storage, blender, words) -> None:
    answer = await confirm(api, shared if storage is None else storage, UNCHECKED | blender)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert not file.exists()
    assert api.manager.settings.is_first_run


async def test_the_assistant_keeps_what_is_in_the_file(api, shared, file) -> None:
    file.write_text("# ours\nmanager_name: Attic\nvariables:\n  my: {values: []}\n")
    for _ in range(2):
        await api.manager.configuration.look()
    assert (await confirm(api, shared, listen=":9000")).status_code == 204
    text = file.read_text()
    assert "# ours\nmanager_name: Attic\n" in text
    assert "my: {values: []}" in text
    assert api.manager.settings.listen == ":9000"
    assert api.manager.configuration.restart_needed == ["listen"]


# -- until then, this machine only ------------------------------------------------------------


def stranger(api: RunningManager, host: str = "192.0.2.7") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(api.app, client=(host, 1234))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://manager.test")


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7", "testclient"])
async def test_strangers_are_told_what_to_do_until_the_farm_is_set_up(api, shared, host) -> None:
    async with stranger(api, host) as client:
        for path in ("/api/v3/version", "/api/v3/jobs", f"{API}/check/blender"):
            answer = await client.get(path)
            assert answer.status_code == 403
            assert "not set up yet" in answer.json()["message"]
        register = await client.post("/api/v3/worker/register-worker", json={})
        assert register.status_code == 403
        for path in ("/live", "/ready"):
            assert (await client.get(path)).status_code == 200
        await confirm(api, shared)
        assert (await client.get("/api/v3/version")).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_comes_in(api, host) -> None:
    async with stranger(api, host) as client:
        assert (await client.get(API)).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_a_proxy_on_this_machine_speaks_for_others(api, header) -> None:
    answer = await api.client.get(API, headers={header: "127.0.0.1"})
    assert answer.status_code == 403


async def test_a_farm_at_work_is_not_locked_by_an_empty_setting(api, shared, caplog) -> None:
    await confirm(api, shared)
    body = {"shared_storage_path": ""}
    assert (await api.client.put(f"{API}/file", json=body)).status_code == 204
    assert not api.manager.settings.is_first_run
    assert "asks for it when it starts again" in caplog.text
    async with stranger(api) as client:
        assert (await client.get("/api/v3/version")).status_code == 200
