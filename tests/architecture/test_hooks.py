"""Every hook keeps to the style, has a page, a contract test, and somebody who uses it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest

from flamenco_core import hookspecs
from flamenco_core.hook_rules import hook_names

VERBS = ("register_", "find_", "choose_", "check_", "wrap_", "on_")
HOOKS = hook_names()


@pytest.fixture(scope="module")
def implemented(sources: list[Any]) -> set[str]:
    """The hooks that something in this repository implements, tests not counted."""
    found = set()
    for source in sources:
        if "tests/" in source.name or source.name == "flamenco_core/hookspecs.py":
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                "hookimpl" in ast.dump(decorator) for decorator in node.decorator_list
            ):
                found.add(node.name)
    return found


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_starts_with_a_verb(hook: str) -> None:
    assert hook.startswith(VERBS)


@pytest.mark.parametrize("hook", HOOKS)
def test_parameters_are_plain_and_typed(hook: str) -> None:
    signature = inspect.signature(getattr(hookspecs, hook))
    assert signature.return_annotation is not signature.empty
    for parameter in signature.parameters.values():
        assert parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        assert parameter.default is parameter.empty
        assert parameter.annotation is not parameter.empty


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_docstring_that_starts_with_a_sentence(hook: str) -> None:
    first = (inspect.getdoc(getattr(hookspecs, hook)) or "").partition("\n")[0]
    assert first.endswith(".")
    assert len(first) <= 80


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_page_with_an_example(hook: str, root: Path) -> None:
    folder = root / "docs" / "reference" / "hooks"
    assert (folder / f"{hook}.md").exists()
    assert (folder / "examples" / f"{hook}.py").exists()


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_contract_test(hook: str, root: Path) -> None:
    assert (root / "tests" / "contract" / f"test_{hook}.py").exists()


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_real_user(hook: str, implemented: set[str]) -> None:
    assert hook in implemented
