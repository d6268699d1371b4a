"""Time, chance and output come from one place each."""

from __future__ import annotations

import ast
from typing import Any

import pytest

# What nobody may call, and the files that are there to do it for all others.
CLOCK = ("flamenco_core/clock.py",)
BANNED = {
    "time.sleep": (),
    "time.time": CLOCK,
    "time.time_ns": CLOCK,
    "time.monotonic": CLOCK,
    "datetime.datetime.now": CLOCK,
    "datetime.datetime.utcnow": (),
    "datetime.datetime.today": (),
    "datetime.date.today": (),
    "uuid.uuid1": (),
    "uuid.uuid4": CLOCK,
    "os.getlogin": (),
}
# `random.Random(seed)` is an object that somebody was given; its functions are a global.
RANDOM_ALLOWED = {"random.Random", "random.SystemRandom"}
MAY_PRINT = ("flamenco_core/cli/", "scripts/", "benchmarks/", "examples/")


def names(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for: ``{"datetime": "datetime.datetime"}``."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.split(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return known


def used(tree: ast.Module) -> list[tuple[int, str]]:
    """Return the full dotted name of everything that a file mentions."""
    known = names(tree)
    found = []
    for node in ast.walk(tree):
        dotted, inner = [], node
        while isinstance(inner, ast.Attribute):
            dotted.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in known and isinstance(node, ast.expr):
            full = ".".join([known[inner.id], *reversed(dotted)])
            found.append((node.lineno, full))
    return found


def offenders(sources: list[Any], is_wrong: Any) -> list[str]:
    return [
        f"{source.name}:{line}: {name}"
        for source in sources
        if not source.is_program
        for line, name in used(source.tree)
        if is_wrong(source.name, name)
    ]


def test_time_and_ids_come_from_the_clock_module(product: list[Any]) -> None:
    def is_wrong(file: str, name: str) -> bool:
        return name in BANNED and file not in BANNED[name]

    assert offenders(product, is_wrong) == []


def test_chance_is_given_not_taken(product: list[Any]) -> None:
    def is_wrong(file: str, name: str) -> bool:
        return name.startswith(("random.", "secrets.choice")) and name not in RANDOM_ALLOWED

    assert offenders(product, is_wrong) == []


def test_only_programs_print(sources: list[Any]) -> None:
    found = [
        f"{source.name}:{node.lineno}"
        for source in sources
        if source.is_product and not source.name.startswith(MAY_PRINT) and not source.is_program
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "breakpoint", "input")
    ]
    assert found == []


def test_no_test_waits_for_time_to_pass(sources: list[Any]) -> None:
    tests = [s for s in sources if "tests/" in s.name]
    assert offenders(tests, lambda _, name: name in ("time.sleep",)) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import time\ntime.sleep(1)", "time.sleep"),
        ("import time as t\nt.sleep(1)", "time.sleep"),
        ("from time import sleep\nsleep(1)", "time.sleep"),
        ("from time import sleep as nap\nnap(1)", "time.sleep"),
        ("from datetime import datetime\ndatetime.now()", "datetime.datetime.now"),
        ("import datetime\ndatetime.datetime.now()", "datetime.datetime.now"),
    ],
)
def test_the_rule_sees_through_ways_of_importing(code: str, expected: str) -> None:
    assert expected in [name for _, name in used(ast.parse(code))]
