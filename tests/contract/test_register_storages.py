from __future__ import annotations

from pathlib import Path


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
