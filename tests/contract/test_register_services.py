from __future__ import annotations

from flamenco_core import Service


async def test_the_example_writes_the_time(load, example, host, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    plugins = load("manager", example("register_services"))
    service = plugins.registered("register_services", host=host)["note-alive"]
    assert service.every == 600
    await service.run()
    assert (tmp_path / "alive.txt").read_text() == f"{host.clock.now()}\n"


def test_services_of_several_plugins_are_all_there(load, implementing) -> None:
    async def run() -> None: ...

    def offering(name: str):
        return implementing(name, register_services=lambda: [Service(name=name, run=run)])

    plugins = load("manager", offering("a"), offering("b"))
    assert list(plugins.registered("register_services", host=None)) == ["a", "b"]
    assert plugins.owner_of("register_services", "b") == "b"
