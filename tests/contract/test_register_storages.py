from __future__ import annotations

from pathlib import Path

import pytest

from flamenco_core.builtin.storage import SharedFolder
from flamenco_core.errors import ConfigError
from flamenco_core.manager import create_manager
from flamenco_core.testing import StorageContract


async def test_the_example_erases_what_it_keeps_for_a_job(load, example, host, tmp_path) -> None:
    host.settings_of = lambda plugin, kind: kind(folder=tmp_path)
    plugins = load("manager", example("register_storages"))
    storage = plugins.registered("register_storages", manager=host)["plain-folder"]
    assert Path(storage.location) == tmp_path
    (tmp_path / "job" / "frames").mkdir(parents=True)
    await storage.erase("job", "")
    await storage.erase("job", "")
    assert list(tmp_path.iterdir()) == []


def test_the_last_one_offered_comes_last(load, example, host, implementing) -> None:
    module = example("register_storages")
    mine = implementing("mine", register_storages=lambda: [Named()])
    offers = load("manager", module, mine).registered("register_storages", manager=host)
    assert list(offers) == ["plain-folder", "mine"]


class Named:
    name = "mine"


# -- in a Manager ----------------------------------------------------------------------------


async def test_a_manager_uses_the_last_one_offered(manager, implementing, tmp_path) -> None:
    ours = SharedFolder(name="ours", path=lambda: str(tmp_path / "ours"))
    async with manager([implementing(register_storages=lambda: [ours])]) as running:
        url = "/api/v3/configuration/shared-storage/users/linux"
        assert (await running.client.get(url)).json()["location"] == ours.location
        url = "/api/v3/configuration/variables/workers/linux"
        assert (await running.client.get(url)).json()["jobs"]["value"] == ours.location
        assert running.manager.storage is ours


def test_a_manager_without_any_does_not_start() -> None:
    with pytest.raises(ConfigError, match="take 'storage' out of 'blocked:'"):
        create_manager(discover=False, blocked={"storage"})


class TestSharedFolder(StorageContract):
    """The built-in one."""

    @pytest.fixture
    def storage(self, tmp_path: Path) -> SharedFolder:
        return SharedFolder(path=lambda: str(tmp_path / "shared"))


class TestExample(StorageContract):
    """The one on the hook's page."""

    @pytest.fixture
    def storage(self, load, example, host, tmp_path: Path):
        host.settings_of = lambda plugin, kind: kind(folder=tmp_path / "plain")
        plugins = load("manager", example("register_storages"))
        return plugins.registered("register_storages", manager=host)["plain-folder"]
