from __future__ import annotations

from flamenco_core.domain.variables import VariableTable


def test_the_example_is_understood_on_both_platforms(load, example) -> None:
    plugins = load("manager", example("register_variables"))
    variables = plugins.registered("register_variables", manager=None).values()
    table = VariableTable(variables, "linux")
    assert table.recognize("T:\\wood.png", "windows") == "{textures}\\wood.png"
    assert table.expand_text("{textures}\\wood.png", "workers", "linux") == "/mnt/textures/wood.png"
