from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from flamenco_core.errors import CommandError, PluginError
from flamenco_core.offers import TaskToRun


def task(type: str) -> TaskToRun:
    return TaskToRun(id="1", job_id="1", name="t", job_type="greet", task_type=type, commands=())


async def test_the_example_takes_a_licence_for_blender_only(load, example) -> None:
    module = example("wrap_task")
    plugins = load("worker", module)
    async with AsyncExitStack() as stack:
        await plugins.wrap(stack, "wrap_task", task=task("misc"), worker=None)
        assert module.licences.borrowed_tokens == 0
        await plugins.wrap(stack, "wrap_task", task=task("blender"), worker=None)
        assert module.licences.borrowed_tokens == 1
    assert module.licences.borrowed_tokens == 0


async def test_a_licence_comes_back_when_the_task_fails(load, example) -> None:
    module = example("wrap_task")
    plugins = load("worker", module)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            await plugins.wrap(stack, "wrap_task", task=task("blender"), worker=None)
            raise CommandError("crashed")

    with pytest.raises(CommandError, match="crashed"):
        await run()
    assert module.licences.borrowed_tokens == 0


async def test_the_last_registered_is_outermost(load, implementing) -> None:
    seen: list[str] = []

    def plugin(name: str):
        @asynccontextmanager
        async def wrap_task():
            seen.append(name)
            yield

        return implementing(name, wrap_task=wrap_task)

    async with AsyncExitStack() as stack:
        plugins = load("worker", plugin("inner"), plugin("outer"))
        await plugins.wrap(stack, "wrap_task", task=task("misc"), worker=None)
    assert seen == ["outer", "inner"]


async def test_a_share_that_is_not_there_names_its_plugin(load, implementing) -> None:
    @asynccontextmanager
    async def wrap_task():
        raise OSError("share is gone")
        yield

    plugins = load("worker", implementing("share", wrap_task=wrap_task))
    async with AsyncExitStack() as stack:
        with pytest.raises(PluginError, match="plugin 'share': wrap_task: share is gone"):
            await plugins.wrap(stack, "wrap_task", task=task("misc"), worker=None)
