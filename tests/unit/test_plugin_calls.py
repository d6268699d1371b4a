from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from types import ModuleType
from typing import Any

import attrs
import pytest

from flamenco_core import Problem, hookimpl
from flamenco_core.errors import CommandError, DuplicateName, Forbidden, PluginError
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


async def coroutine() -> None: ...


# ------------------------------------------------------------------------ register_


def test_two_offers_of_one_name_stop_the_start_and_name_both_and_the_cure(
    plugins: Plugins,
) -> None:
    plugins.register(offering("touch", plugin_name="ours"))
    plugins.register(offering("touch", plugin_name="theirs"))
    with pytest.raises(DuplicateName, match=r"'theirs'.*'touch'.*'ours'.*'blocked:'"):
        plugins.registered("register_commands", worker=None)


def test_a_plugin_that_offers_one_name_twice_is_off(plugins: Plugins) -> None:
    plugins.register(offering("touch", "touch"))
    assert plugins.registered("register_commands", worker=None) == {}
    assert "'touch' is offered twice" in str(plugins["mine"].error)


def test_one_name_may_be_offered_through_two_hooks(plugins: Plugins) -> None:
    def register_commands() -> list[Offer]:
        return [Offer("same")]

    def register_services() -> list[Offer]:
        return [Offer("same")]

    plugins.register(plugin(register_commands, register_services))
    assert "same" in plugins.registered("register_commands", worker=None)
    assert "same" in plugins.registered("register_services", host=None)


def test_a_generator_that_fails_half_way_offers_nothing(plugins: Plugins) -> None:
    def register_commands() -> Iterator[Offer]:
        yield Offer("touch")
        raise RuntimeError("half way")

    plugins.register(plugin(register_commands))
    plugins.register(offering("copy", plugin_name="other"))
    assert set(plugins.registered("register_commands", worker=None)) == {"copy"}
    assert (plugins["mine"].state, plugins["mine"].offers) == ("off", ())
    assert "half way" in str(plugins["mine"].error)


def test_failing_in_a_later_hook_takes_the_earlier_offers_away(plugins: Plugins) -> None:
    def register_commands() -> list[Offer]:
        return [Offer("touch")]

    def register_services() -> list[Offer]:
        raise RuntimeError("no port")

    plugins.register(plugin(register_commands, register_services))
    commands = plugins.registered("register_commands", worker=None)
    assert set(commands) == {"touch"}
    assert plugins.registered("register_services", host=None) == {}
    assert commands == {}
    assert plugins["mine"].state == "off"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Offer, "not iterable"),
        (42, "not iterable"),
        ("touch", "no name"),
        ([Offer("")], "no name"),
        ([type("Touch", (), {})], "no name"),
        ([Offer(3)], "no name"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_list_of_named_things_turns_the_plugin_off(
    plugins: Plugins, answer: object, words: str
) -> None:
    def register_commands() -> object:
        return answer

    plugins.register(plugin(register_commands))
    assert plugins.registered("register_commands", worker=None) == {}
    assert words in str(plugins["mine"].error)


def test_offering_nothing_is_fine(plugins: Plugins) -> None:
    def register_commands() -> None:
        return None

    plugins.register(plugin(register_commands))
    assert plugins.registered("register_commands", worker=None) == {}
    assert plugins["mine"].state == "on"


def test_a_coroutine_from_a_plain_function_turns_the_plugin_off(plugins: Plugins) -> None:
    def register_commands() -> object:
        return coroutine()

    plugins.register(plugin(register_commands))
    plugins.registered("register_commands", worker=None)
    assert "must not be async" in str(plugins["mine"].error)


def test_route_handlers_need_no_names_and_classes_of_one_name_do_not_clash() -> None:
    plugins = Plugins("manager")
    for module in ("one", "two"):

        def register_routes(module: str = module) -> list[type]:
            return []

        handler = type("Jobs", (), {"__module__": module})
        plugins.register(
            plugin(_returning([handler, object()]), specname="register_routes"), module
        )
    assert len(plugins.registered("register_routes", manager=None)) == 4


def _returning(value: object) -> Callable[[], object]:
    def register_routes() -> object:
        return value

    return register_routes


def test_asking_again_lists_each_offer_once(plugins: Plugins) -> None:
    plugins.register(offering("touch"))
    plugins.registered("register_commands", worker=None)
    plugins.registered("register_commands", worker=None)
    assert plugins["mine"].offers == ("touch",)


# ------------------------------------------------------------------------ find_, choose_


def answering(name: str, answer: object, asked: list[str] | None = None) -> ModuleType:
    def hook() -> object:
        if asked is not None:
            asked.append(name)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return plugin(hook, name=name, specname="find_manager")


async def test_the_last_registered_is_asked_first_and_built_ins_last(plugins: Plugins) -> None:
    asked: list[str] = []
    plugins.register(answering("discovery", "http://built-in", asked), origin="built-in")
    plugins.register(answering("installed", None, asked), origin="installed")
    plugins.register(answering("given", None, asked))
    assert await plugins.find("find_manager", worker=None) == "http://built-in"
    assert asked == ["given", "installed", "discovery"]


async def test_the_first_answer_ends_the_search(plugins: Plugins) -> None:
    asked: list[str] = []
    plugins.register(answering("first", "http://first", asked))
    plugins.register(answering("last", "", asked))
    assert await plugins.find("find_manager", worker=None) == ""
    assert asked == ["last"]


async def test_an_async_none_does_not_win(plugins: Plugins) -> None:
    plugins.register(answering("first", "http://first"))
    plugins.register(plugin(coroutine, name="later", specname="find_manager"))
    assert await plugins.find("find_manager", worker=None) == "http://first"


async def test_nobody_who_knows_is_none(plugins: Plugins) -> None:
    assert await plugins.find("find_manager", worker=None) is None


async def test_an_error_in_find_goes_to_the_caller(plugins: Plugins) -> None:
    plugins.register(answering("first", "http://first"))
    plugins.register(answering("strict", Forbidden("no such token")))
    with pytest.raises(Forbidden):
        await plugins.find("find_manager", worker=None)


def test_a_failing_choice_is_passed_over_and_counted(
    plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    def first(candidates: tuple[str, ...]) -> str:
        return candidates[0]

    def broken(worker: object) -> str:
        raise ZeroDivisionError

    plugins.register(plugin(first, name="first", specname="choose_task"))
    plugins.register(plugin(broken, name="broken", specname="choose_task"))
    assert plugins.choose("choose_task", worker=None, candidates=("a", "b")) == "a"
    assert plugins["broken"].failures == 1
    assert plugins["broken"].state == "on"
    assert "'broken' failed in choose_task" in caplog.text


def test_no_choice_is_none(plugins: Plugins) -> None:
    assert plugins.choose("choose_task", worker=None, candidates=()) is None


# ------------------------------------------------------------------------ check_


def checking(name: str, answer: object) -> ModuleType:
    async def check_readiness() -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return plugin(check_readiness, name=name)


async def test_all_problems_of_all_plugins_count_and_name_their_plugin(plugins: Plugins) -> None:
    plugins.register(checking("disk", [Problem("full"), Problem("slow", plugin="smart")]))
    plugins.register(checking("fine", None))
    plugins.register(checking("gpu", (Problem("no GPU", affects=("blender",)),)))
    problems = await plugins.check("check_readiness", worker=None)
    assert [(p.message, p.plugin) for p in problems] == [
        ("no GPU", "gpu"),
        ("full", "disk"),
        ("slow", "smart"),
    ]


@pytest.mark.parametrize("answer", [RuntimeError("boom"), ["text"], Problem("not a list"), 7])
async def test_a_broken_check_is_a_problem_itself(plugins: Plugins, answer: object) -> None:
    plugins.register(checking("fine", [Problem("real")]))
    plugins.register(checking("broken", answer))
    broken, real = await plugins.check("check_readiness", worker=None)
    assert broken.plugin == "broken"
    assert "plugin 'broken' failed in check_readiness" in broken.message
    assert real.message == "real"
    assert plugins["broken"].failures == 1


# ------------------------------------------------------------------------ wrap_


def wrapping(name: str, seen: list[str], *, on: str = "", hide: bool = False) -> ModuleType:
    @asynccontextmanager
    async def wrap_task() -> Any:
        seen.append(f"+{name}")
        if on == "enter":
            raise OSError("share is gone")
        try:
            yield
        except CommandError:
            if not hide:
                raise
        finally:
            seen.append(f"-{name}")
        if on == "exit":
            raise OSError("cannot unmount")

    return plugin(wrap_task, name=name)


async def wrap(plugins: Plugins, error: BaseException | None = None) -> None:
    async with AsyncExitStack() as stack:
        await plugins.wrap(stack, "wrap_task", task=None, worker=None)
        if error:
            raise error


async def test_wraps_are_entered_and_left_in_turn(plugins: Plugins) -> None:
    seen: list[str] = []
    for name in ("a", "b"):
        plugins.register(wrapping(name, seen))
    plugins.register(plugin(lambda: None, name="none", specname="wrap_task"))
    await wrap(plugins)
    assert seen == ["+b", "+a", "-a", "-b"]


async def test_a_failing_way_in_names_the_plugin_and_leaves_the_outer_ones(
    plugins: Plugins,
) -> None:
    seen: list[str] = []
    plugins.register(wrapping("share", seen, on="enter"))
    plugins.register(wrapping("outer", seen))
    with pytest.raises(PluginError, match="plugin 'share': wrap_task: share is gone"):
        await wrap(plugins)
    assert seen == ["+outer", "+share", "-outer"]


async def test_a_failing_way_out_names_the_plugin(plugins: Plugins) -> None:
    plugins.register(wrapping("share", [], on="exit"))
    with pytest.raises(PluginError, match="plugin 'share': wrap_task: cannot unmount"):
        await wrap(plugins)


async def test_the_error_of_the_work_stays_what_it_is(plugins: Plugins) -> None:
    plugins.register(wrapping("share", []))
    error = CommandError("blender crashed")
    with pytest.raises(CommandError) as caught:
        await wrap(plugins, error)
    assert caught.value is error


async def test_a_wrap_cannot_hide_the_error_of_the_work(plugins: Plugins) -> None:
    plugins.register(wrapping("hides", [], hide=True))
    with pytest.raises(CommandError):
        await wrap(plugins, CommandError("blender crashed"))


def raises_at_once() -> Any:
    raise OSError("no share")


@contextmanager
def not_async() -> Iterator[None]:
    yield


@pytest.mark.parametrize("function", [raises_at_once, not_async, lambda: 3])
async def test_what_is_no_async_context_manager_names_the_plugin(
    plugins: Plugins, function: Callable[[], Any]
) -> None:
    plugins.register(plugin(function, specname="wrap_task"))
    with pytest.raises(PluginError, match="plugin 'mine': wrap_task"):
        await wrap(plugins)


async def test_being_cancelled_inside_is_nobodys_fault(plugins: Plugins) -> None:
    plugins.register(wrapping("share", []))
    with pytest.raises(asyncio.CancelledError):
        await wrap(plugins, asyncio.CancelledError())


# ------------------------------------------------------------------------ on_


async def test_all_others_still_hear_when_one_fails(
    plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def on_event(event: str) -> None:
        heard.append(event)

    async def broken(event: str, host: object) -> None:
        raise RuntimeError("chat is down")

    plugins.register(plugin(on_event, name="first"))
    plugins.register(plugin(broken, name="broken", specname="on_event"))
    plugins.register(plugin(on_event, name="last"))
    with caplog.at_level(logging.ERROR):
        await plugins.tell("on_event", event="done", host=None)
        await plugins.tell("on_event", event="more", host=None)
    assert heard == ["done", "done", "more", "more"]
    assert plugins["broken"].failures == 2
    assert "chat is down" in caplog.text


def test_listens_is_about_others_than_the_built_ins(plugins: Plugins) -> None:
    plugins.register(plugin(coroutine, name="bus", specname="on_event"), origin="built-in")
    assert not plugins.listens("on_event")
    plugins.register(plugin(coroutine, name="chat", specname="on_event"))
    assert plugins.listens("on_event")
