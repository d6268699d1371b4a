"""What pages say of the tests is true."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_each_difference_names_a_test_that_there_is() -> None:
    page = (ROOT / "docs" / "explanation" / "differences.md").read_text()
    named = NAMED.findall(page)
    assert len(named) > 20
    tests = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("plugins/*/tests/**/test_*.py")]
    there = {
        (path.name, name)
        for path in tests
        for name in re.findall(r"def (test_\w+)\(", path.read_text())
    }
    assert set(named) - there == set()
