from __future__ import annotations

from pathlib import Path


async def test_the_example_reads_the_url_from_a_file(load, example, tmp_path: Path) -> None:
    module = example("find_manager")
    module.FILE = tmp_path / "url"
    plugins = load("worker", module)
    assert await plugins.find("find_manager", worker=None) is None
    module.FILE.write_text("http://127.0.0.1:8080\n")
    assert await plugins.find("find_manager", worker=None) == "http://127.0.0.1:8080"


async def test_who_knows_nothing_leaves_it_to_the_others(load, implementing) -> None:
    async def nothing() -> None:
        return None

    known = implementing("known", find_manager=lambda: "http://known")
    plugins = load("worker", known, implementing("nothing", find_manager=nothing))
    assert await plugins.find("find_manager", worker=None) == "http://known"
