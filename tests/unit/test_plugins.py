from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import attrs
import pytest

from flamenco_core import hookimpl
from flamenco_core.errors import MissingPlugin, PluginError
from flamenco_core.plugins import Plugins


@attrs.frozen
class Offer:
    name: str


def plugin(*functions: Callable[..., Any], name: str = "mine", **options: Any) -> ModuleType:
    module = ModuleType(name)
    for function in functions:
        setattr(module, function.__name__, hookimpl(**options)(function))
    return module


def offering(*names: str, plugin_name: str = "mine") -> ModuleType:
    def register_commands() -> list[Offer]:
        return [Offer(name) for name in names]

    return plugin(register_commands, name=plugin_name)


@pytest.fixture
def plugins() -> Plugins:
    return Plugins("worker")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that packages with these entry points are installed."""

    def install(*points: EntryPoint) -> None:
        def found(*, group: str) -> tuple[EntryPoint, ...]:
            return tuple(point for point in points if point.group == group)

        monkeypatch.setattr("flamenco_core.plugins.entry_points", found)

    return install


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, ModuleType], EntryPoint]:
    def put(name: str, module: ModuleType, group: str = "flamenco.worker") -> EntryPoint:
        monkeypatch.setitem(sys.modules, f"importable_{module.__name__}", module)
        return EntryPoint(name, f"importable_{module.__name__}", group)

    return put


# ------------------------------------------------------------------------ loading


def test_a_plugin_is_listed_with_its_hooks_and_offers(plugins: Plugins) -> None:
    plugins.register(offering("touch", "copy"), version="1.2", origin="installed")
    assert set(plugins.registered("register_commands", worker=None)) == {"touch", "copy"}
    info = plugins["mine"]
    assert (info.state, info.version, info.origin) == ("on", "1.2", "installed")
    assert info.hooks == ("register_commands",)
    assert info.offers == ("touch", "copy")
    assert plugins.owner_of("register_commands", "touch") == "mine"
    assert plugins.owner_of("register_commands", "nothing") is None


def test_a_misspelt_hook_turns_the_plugin_off_with_a_hint(plugins: Plugins) -> None:
    def register_comands() -> list[Offer]:
        return [Offer("touch")]

    plugins.register(plugin(register_comands))
    assert plugins["mine"].state == "off"
    assert "did you mean 'register_commands'" in str(plugins["mine"].error)
    assert plugins.registered("register_commands", worker=None) == {}


def test_a_name_that_is_like_no_hook_gets_no_hint(plugins: Plugins) -> None:
    def zzz() -> None: ...

    plugins.register(plugin(zzz))
    assert plugins["mine"].error == "plugin 'mine': there is no hook 'zzz'"


def test_the_marker_itself_is_no_hook(plugins: Plugins) -> None:
    plugins.register(plugin(lambda: None, specname="hookspec"))
    assert "no hook 'hookspec'" in str(plugins["mine"].error)


def test_a_hook_under_another_function_name_is_checked_by_the_hooks_name(plugins: Plugins) -> None:
    async def on_start() -> list[Offer]:
        return []

    plugins.register(plugin(on_start, specname="register_commands"))
    assert "register_commands must not be async" in str(plugins["mine"].error)


def test_a_plugin_without_hooks_is_told_of_the_marker(plugins: Plugins) -> None:
    module = ModuleType("mine")
    module.register_commands = list  # type: ignore[attr-defined]
    plugins.register(module)
    assert "@hookimpl missing" in str(plugins["mine"].error)


def test_an_unknown_parameter_is_named_together_with_those_there_are(plugins: Plugins) -> None:
    def register_commands(wroker: object) -> list[Offer]:
        return []

    plugins.register(plugin(register_commands))
    assert "no parameter ['wroker']; there are ['worker']" in str(plugins["mine"].error)


def with_default(worker: object = None) -> list[Offer]:
    return []


def keyword_only(*, worker: object) -> list[Offer]:
    return []


def any_number(*args: object) -> list[Offer]:
    return []


def any_keywords(**kwargs: object) -> list[Offer]:
    return []


@pytest.mark.parametrize("function", [with_default, keyword_only, any_number, any_keywords])
def test_parameters_are_plain(plugins: Plugins, function: Callable[..., Any]) -> None:
    plugins.register(plugin(function, specname="register_commands"))
    assert "without defaults" in str(plugins["mine"].error)


async def coroutine() -> None: ...


async def generator() -> Any:
    yield


@pytest.mark.parametrize("hook", ["register_commands", "choose_task", "wrap_task"])
def test_async_where_it_is_not_allowed_is_refused(plugins: Plugins, hook: str) -> None:
    plugins.register(plugin(coroutine, specname=hook))
    assert f"{hook} must not be async" in str(plugins["mine"].error)


@pytest.mark.parametrize("hook", ["find_manager", "check_readiness", "on_event"])
def test_async_is_allowed_where_somebody_waits(plugins: Plugins, hook: str) -> None:
    plugins.register(plugin(coroutine, specname=hook))
    assert plugins["mine"].state == "on"


@pytest.mark.parametrize("hook", ["register_commands", "check_readiness", "wrap_task", "on_event"])
def test_an_async_generator_is_refused_everywhere(plugins: Plugins, hook: str) -> None:
    plugins.register(plugin(generator, specname=hook))
    assert "async generator" in str(plugins["mine"].error)


@pytest.mark.parametrize("option", ["wrapper", "hookwrapper"])
def test_wrappers_are_refused(plugins: Plugins, option: str) -> None:
    def register_commands() -> Iterator[None]:
        yield

    plugins.register(plugin(register_commands, **{option: True}))
    assert "see wrap_task" in str(plugins["mine"].error)


@pytest.mark.parametrize("option", ["trylast", "tryfirst"])
def test_asking_for_a_place_in_the_line_is_refused(plugins: Plugins, option: str) -> None:
    plugins.register(plugin(with_default, specname="register_commands", **{option: True}))
    assert "order comes from registration" in str(plugins["mine"].error)


def test_an_instance_with_methods_is_a_plugin(plugins: Plugins) -> None:
    class House:
        @hookimpl
        def register_commands(self, worker: object) -> list[Offer]:
            return [Offer(f"touch-{worker}")]

    plugins.register(House())
    assert set(plugins.registered("register_commands", worker="w")) == {"touch-w"}
    assert plugins["House"].state == "on"


def test_an_instance_with_equality_is_refused(plugins: Plugins) -> None:
    @attrs.define
    class House:
        @hookimpl
        def register_commands(self) -> list[Offer]:
            return []

    plugins.register(House())
    assert "eq=False" in str(plugins["House"].error)


def test_a_plugin_found_twice_counts_once(
    plugins: Plugins, installed: Any, importable: Any
) -> None:
    module = offering("touch")
    installed(importable("touch", module))
    plugins.load_installed()
    plugins.register(module)
    assert [info.name for info in plugins] == ["touch"]
    assert len(plugins.registered("register_commands", worker=None)) == 1


def test_a_broken_plugin_found_twice_is_listed_once(plugins: Plugins) -> None:
    module = ModuleType("mine")
    plugins.register(module)
    plugins.register(module)
    assert len(list(plugins)) == 1


def test_of_two_plugins_with_one_name_the_first_stays_on_and_both_are_listed(
    plugins: Plugins,
) -> None:
    plugins.register(offering("touch"), "same", origin="installed")
    plugins.register(offering("copy"), "same", origin="installed")
    assert [info.state for info in plugins] == ["on", "off"]
    assert "another plugin of this name (installed)" in str(list(plugins)[1].error)
    assert set(plugins.registered("register_commands", worker=None)) == {"touch"}
    assert plugins["same"].state == "on"


def test_installed_packages_are_loaded_by_name_and_only_for_this_side(
    plugins: Plugins, installed: Any, importable: Any
) -> None:
    other_side = importable("web", offering("web", plugin_name="web"), "flamenco.manager")
    b = importable("b", offering("b", plugin_name="b"))
    a = importable("a", offering("a", plugin_name="a"))
    installed(b, other_side, a)
    plugins.load_installed()
    assert [info.name for info in plugins] == ["a", "b"]
    assert list(plugins.registered("register_commands", worker=None)) == ["a", "b"]


def test_a_package_that_cannot_be_imported_is_listed_not_fatal(
    plugins: Plugins, installed: Any
) -> None:
    installed(EntryPoint("gone", "no_such_module_at_all", "flamenco.worker"))
    plugins.load_installed()
    assert plugins["gone"].state == "off"
    assert "no_such_module_at_all" in str(plugins["gone"].error)


def test_a_module_that_exits_when_it_is_imported_is_not_fatal(
    plugins: Plugins, installed: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quits_at_import.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    installed(EntryPoint("quits", "quits_at_import", "flamenco.worker"))
    plugins.load_installed()
    assert plugins["quits"].error == "SystemExit(3)"


def test_a_blocked_plugin_is_not_even_imported(installed: Any) -> None:
    installed(EntryPoint("gone", "no_such_module_at_all", "flamenco.worker"))
    plugins = Plugins("worker", blocked={"gone", "mine"})
    plugins.load_installed()
    plugins.register(offering("touch"))
    assert {info.name: info.state for info in plugins} == {"gone": "blocked", "mine": "blocked"}
    assert plugins["gone"].error is None
    assert plugins.registered("register_commands", worker=None) == {}


def test_off_lists_what_could_not_be_loaded(plugins: Plugins) -> None:
    plugins.off("mine", "folder", SyntaxError("line 3"))
    assert plugins["mine"] == attrs.evolve(plugins["mine"], state="off", origin="folder")
    assert "line 3" in str(plugins["mine"].error)


def test_a_fault_is_logged(plugins: Plugins, caplog: pytest.LogCaptureFixture) -> None:
    plugins.register(ModuleType("mine"))
    assert "plugin 'mine' is off" in caplog.text


# ------------------------------------------------------------------------ requiring


def test_what_is_required_and_on_is_fine(plugins: Plugins) -> None:
    plugins.register(offering("touch"))
    plugins.require(["mine"])
    plugins.require([])


def test_a_required_plugin_that_is_missing_stops_the_start_and_names_the_cure(
    plugins: Plugins,
) -> None:
    with pytest.raises(MissingPlugin, match="pip install flamenco-blender"):
        plugins.require(["blender"])


def test_a_required_plugin_that_is_off_says_why(plugins: Plugins) -> None:
    plugins.off("blender", "installed", ImportError("no bpy"))
    with pytest.raises(MissingPlugin, match=r"off: .*no bpy"):
        plugins.require(["blender"])


def test_a_required_plugin_that_is_blocked_points_to_the_settings() -> None:
    plugins = Plugins("manager", blocked={"mine"})
    plugins.register(offering())
    with pytest.raises(MissingPlugin, match="blocked: see blocked:"):
        plugins.require(["mine"])


def test_strict_raises_on_the_first_fault() -> None:
    with pytest.raises(PluginError, match="no hook"):
        Plugins("worker", strict=True).register(ModuleType("mine"))


def test_strict_raises_when_an_offer_fails() -> None:
    def register_commands() -> list[Offer]:
        raise RuntimeError("no licence")

    plugins = Plugins("worker", strict=True)
    plugins.register(plugin(register_commands))
    with pytest.raises(PluginError, match="no licence"):
        plugins.registered("register_commands", worker=None)


def test_strict_raises_for_a_package_that_cannot_be_imported(installed: Any) -> None:
    installed(EntryPoint("gone", "no_such_module_at_all", "flamenco.worker"))
    with pytest.raises(ModuleNotFoundError):
        Plugins("worker", strict=True).load_installed()
