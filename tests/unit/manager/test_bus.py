from __future__ import annotations

import asyncio
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from flamenco_core import hookimpl
from flamenco_core import plugins as plugins_module
from flamenco_core.clock import SystemClock
from flamenco_core.domain.events import JobDeleted, TaskLogged
from flamenco_core.manager import audience
from flamenco_core.manager import bus as bus_module
from flamenco_core.manager import subscription as queues
from flamenco_core.manager.bus import Bus
from flamenco_core.plugins import Plugins

HOST = SimpleNamespace(clock=SystemClock())


def event(number: int) -> JobDeleted:
    return JobDeleted(str(number))


def logged(text: str) -> TaskLogged:
    return TaskLogged(task_id="t", job_id="j", text=text)


@pytest.fixture
def bus() -> Bus:
    return Bus(Plugins("manager"), None, start=100)  # type: ignore[arg-type]


async def read(subscription: Any, count: int) -> list[tuple[int, Any]]:
    found = [await subscription.next(1) for _ in range(count)]
    return [(numbered.number, numbered.event) for numbered in found]


async def test_numbers_go_on_from_the_start(bus) -> None:
    subscription = bus.subscribe()
    bus.publish([event(1), event(2)])
    assert await read(subscription, 2) == [(101, event(1)), (102, event(2))]
    assert bus.number == 102


async def test_who_comes_later_hears_only_what_is_new(bus) -> None:
    bus.publish([event(1)])
    subscription = bus.subscribe()
    bus.publish([event(2)])
    assert await read(subscription, 1) == [(102, event(2))]


async def test_who_comes_back_hears_what_it_missed(bus) -> None:
    bus.publish([event(n) for n in range(5)])
    assert await read(bus.subscribe(103), 2) == [(104, event(3)), (105, event(4))]
    with pytest.raises(TimeoutError):
        await bus.subscribe(105).next(0.001)


@pytest.mark.parametrize("after", [0, 99, 106, 10**12])
async def test_what_is_not_known_any_more_is_a_reset(bus, after: int) -> None:
    bus.publish([event(n) for n in range(5)])
    bus._past.popleft()
    assert await read(bus.subscribe(after), 1) == [(105, None)]


async def test_too_many_unread_events_are_a_reset(bus, monkeypatch) -> None:
    monkeypatch.setattr(queues, "BEHIND", 3)
    slow, quick = bus.subscribe(), bus.subscribe()
    for number in range(5):
        bus.publish([event(number)])
        assert await read(quick, 1) == [(101 + number, event(number))]
    assert await read(slow, 2) == [(104, None), (105, event(4))]


async def test_a_client_can_catch_up_with_so_much_text_of_logs(bus, monkeypatch) -> None:
    monkeypatch.setattr(bus_module, "KEPT_TEXT", 25)
    bus.publish([logged("x" * 10) for _ in range(5)])
    assert [len(numbered.event.text) for numbered in bus._past] == [10, 10]
    assert await read(bus.subscribe(103), 2) == [(n, logged("x" * 10)) for n in (104, 105)]
    assert await read(bus.subscribe(102), 1) == [(105, None)]
    # One that is too long for itself is not kept, and counts for nothing afterwards.
    bus.publish([logged("x" * 30), event(1)])
    assert [numbered.event for numbered in bus._past] == [event(1)]
    bus.reset()
    bus.publish([logged("x" * 20)])
    assert len(bus._past) == 2


async def test_only_so_many_past_events_are_kept(bus, monkeypatch) -> None:
    monkeypatch.setattr(bus_module, "KEPT", 3)
    bus.publish([event(n) for n in range(10)])
    assert [numbered.event for numbered in bus._past] == [event(7), event(8), event(9)]


async def test_too_much_unread_text_is_a_reset(bus, monkeypatch) -> None:
    monkeypatch.setattr(queues, "BEHIND_TEXT", 25)
    slow, quick = bus.subscribe(), bus.subscribe()
    for number in range(5):
        bus.publish([logged("x" * 10)])
        assert await read(quick, 1) == [(101 + number, logged("x" * 10))]
    assert [event for _, event in await read(slow, 3)] == [None, *[logged("x" * 10)] * 2]
    assert bus.missed == 1


async def test_a_closed_bus_ends_streams_even_of_the_slow(bus, monkeypatch) -> None:
    monkeypatch.setattr(queues, "BEHIND", 3)
    subscription = bus.subscribe()
    bus.publish([event(n) for n in range(3)])
    bus.close()
    bus.close()
    bus.publish([event(n) for n in range(10)])
    assert len([numbered async for numbered in subscription]) == 2
    assert await bus.subscribe().next(1) is None


async def test_plugins_hear_all_from_the_first_event_on() -> None:
    heard: list[Any] = []
    module = ModuleType("listener")
    module.on_event = hookimpl(specname="on_event")(lambda event: heard.append(event))
    plugins = Plugins("manager", strict=True)
    plugins.register(module)
    bus = Bus(plugins, HOST)  # type: ignore[arg-type]
    bus.publish([event(1)])
    telling = asyncio.create_task(bus.tell_plugins())
    await asyncio.sleep(0)
    # Live clients are sent away first; plugins still hear how it ends.
    bus.close()
    bus.publish([event(2)])
    bus.end()
    async with asyncio.timeout(1):
        await telling
    assert heard == [event(1), event(2)]


def listening(name: str, on_event: Any) -> ModuleType:
    module = ModuleType(name)
    module.on_event = hookimpl(specname="on_event")(on_event)
    return module


async def test_a_plugin_that_hangs_keeps_nobody_else_from_hearing(monkeypatch) -> None:
    monkeypatch.setattr(audience, "LIMIT", 0.01)
    monkeypatch.setattr(audience, "PAUSE", 0.0)
    heard: list[Any] = []

    async def hang(event: Any) -> None:
        await asyncio.Event().wait()

    plugins = Plugins("manager", strict=True)
    plugins.register(listening("hangs", hang))
    plugins.register(listening("listens", lambda event: heard.append(event)))
    bus = Bus(plugins, HOST)  # type: ignore[arg-type]
    bus.publish([event(1), event(2)])
    bus.end()
    async with asyncio.timeout(5):
        await bus.tell_plugins()
    assert heard == [event(1), event(2)]
    assert {info.name: info.failures for info in plugins} == {"hangs": 2, "listens": 0}


async def test_a_plugin_that_always_fails_is_not_called_for_ever(monkeypatch) -> None:
    monkeypatch.setattr(audience, "IN_A_ROW", 3)
    monkeypatch.setattr(audience, "PAUSE", 0.0)
    calls: list[Any] = []

    def fail(event: Any) -> None:
        calls.append(event)
        raise RuntimeError("on purpose")

    plugins = Plugins("manager", strict=True)
    plugins.register(listening("fails", fail))
    bus = Bus(plugins, HOST)  # type: ignore[arg-type]
    bus.publish([event(number) for number in range(9)])
    bus.end()
    async with asyncio.timeout(5):
        await bus.tell_plugins()
    assert len(calls) == 3
    (info,) = plugins
    assert info.state == "on"
    assert "on_event failed 3 times in a row" in str(info.error)


async def test_a_plugin_that_holds_everybody_up_counts_as_failing(monkeypatch) -> None:
    monkeypatch.setattr(plugins_module, "HELD_UP", -1.0)
    plugins = Plugins("manager", strict=True)
    plugins.register(listening("blocks", lambda event: None))
    bus = Bus(plugins, HOST)  # type: ignore[arg-type]
    bus.publish([event(1)])
    bus.end()
    await bus.tell_plugins()
    (info,) = plugins
    assert info.failures == 1
