"""The list of guards that ``make mutants`` takes away follows the code."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_guard_is_where_the_list_says() -> None:
    guards = runpy.run_path(str(ROOT / "scripts" / "mutants.py"))["read_guards"]()
    assert len({guard.name for guard in guards}) == len(guards) >= 20
    assert all((ROOT / test).exists() for guard in guards for test in guard.tests)
