from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from flamenco_core import hookspecs
from flamenco_core.errors import PluginError
from flamenco_core.hook_rules import hook_names
from flamenco_core.plugins import Plugins

HOOKS = hook_names()
MAY_BE_ASYNC = ("find_", "check_", "on_")


def implementation(hook: str, keyword: str = "def"):
    """A function with exactly the parameters of the hook."""
    parameters = ", ".join(inspect.signature(getattr(hookspecs, hook)).parameters)
    scope: dict[str, object] = {}
    exec(f"{keyword} {hook}({parameters}): ...", scope)
    return scope[hook]


def test_there_are_eighteen_hooks_in_the_order_in_which_a_farm_calls_them() -> None:
    assert HOOKS[:2] == ["register_subcommands", "register_services"]
    assert HOOKS[-2:] == ["wrap_task", "on_event"]
    assert len(HOOKS) == len(set(HOOKS)) == 18


@pytest.mark.parametrize("hook", HOOKS)
def test_a_plugin_may_take_all_parameters(hook: str, load, implementing) -> None:
    plugins = load("manager", implementing(**{hook: implementation(hook)}))
    assert [info.hooks for info in plugins] == [(hook,)]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_plugin_may_take_none(hook: str, load, implementing) -> None:
    assert [info.state for info in load("worker", implementing(**{hook: lambda: None}))] == ["on"]


@pytest.mark.parametrize("hook", HOOKS)
def test_async_follows_the_verb(hook: str, load, implementing) -> None:
    plugin = implementing(**{hook: implementation(hook, "async def")})
    if hook.startswith(MAY_BE_ASYNC):
        load("manager", plugin)
    else:
        with pytest.raises(PluginError, match="must not be async"):
            load("manager", plugin)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_letter_too_few_is_noticed(hook: str, implementing) -> None:
    plugins = Plugins("manager")
    plugins.register(implementing(**{hook[:-1]: lambda: None}), "mine")
    assert f"did you mean {hook!r}" in str(plugins["mine"].error)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_on_its_page_loads(hook: str, load, example) -> None:
    module = example(hook)
    (info,) = load("manager", module)
    assert info.hooks == (hook,)
    assert (module.__doc__ or "").strip()


def test_there_is_no_example_of_a_hook_that_is_gone(repository: Path) -> None:
    folder = repository / "docs" / "reference" / "hooks"
    assert sorted(path.stem for path in folder.glob("examples/*.py")) == sorted(HOOKS)
    assert {path.stem for path in folder.glob("*.md")} - {"README"} == set(HOOKS)
