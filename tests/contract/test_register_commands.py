from __future__ import annotations

from pathlib import Path

import pytest

from flamenco_core import CommandError


async def test_the_example_touches_a_file(run_command, example, tmp_path: Path) -> None:
    path = tmp_path / "done"
    parameters = {"path": str(path)}
    record = await run_command("touch", parameters, plugins=[example("register_commands")])
    assert path.exists()
    assert record.lines == [f"touched {path}"]


@pytest.mark.parametrize("parameters", [{}, {"path": 3}, {"path": "x", "pth": "y"}])
async def test_a_wrong_parameter_fails_before_anything_runs(
    run_command, example, parameters: dict[str, object]
) -> None:
    with pytest.raises(CommandError, match=r"path|pth"):
        await run_command("touch", parameters, plugins=[example("register_commands")])


def test_a_command_without_a_name_turns_its_plugin_off(load, example, implementing) -> None:
    nameless = type("Nameless", (), {})
    broken = implementing("broken", register_commands=lambda: [nameless])
    plugins = load("worker", example("register_commands"), broken, strict=False)
    assert set(plugins.registered("register_commands", worker=None)) == {"touch"}
    assert "has no name" in str(plugins["broken"].error)
