"""The job type with which a farm is tried out."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.builtin import echo_sleep_test
from flamenco_core.builtin.echo_sleep_test import EchoSleepTest
from flamenco_core.errors import JobTypeError
from flamenco_core.offers import AuthoredJob, Submission
from flamenco_core.plugins import Plugins


async def compiled(**settings: Any) -> AuthoredJob:
    submission = Submission(
        job_id="9b0f8f2e-0000-4000-8000-000000000001",
        name="try out",
        type="echo-sleep-test",
        priority=50,
        created=0,
        settings=settings,
    )
    return await EchoSleepTest.offered().compile(submission)


def test_it_is_offered_as_an_ordinary_plugin() -> None:
    plugins = Plugins("manager", strict=True)
    plugins.register(echo_sleep_test, "echo-sleep-test", origin="built-in")
    assert plugins.registered("register_job_types", manager=None) == {
        "echo-sleep-test": EchoSleepTest
    }


def test_people_fill_in_a_message_and_how_long_and_often_to_sleep() -> None:
    shown = {(s.key, s.type, s.default, s.required) for s in EchoSleepTest.offered().settings}
    assert shown == {
        ("message", "string", None, True),
        ("sleep_duration_seconds", "int32", 1, None),
        ("sleep_repeats", "int32", 1, None),
    }


async def test_every_sleep_waits_for_the_echo() -> None:
    job = await compiled(message="hello", sleep_duration_seconds=3, sleep_repeats=2)
    echo, *sleeps = job.tasks
    assert (echo.name, echo.type, echo.parents) == ("echo", "misc", ())
    assert [(c.name, c.parameters) for c in echo.commands] == [("echo", {"message": "hello"})]
    assert [(task.name, task.type, task.parents) for task in sleeps] == [
        ("sleep", "misc", (0,))
    ] * 2
    assert sleeps[0].commands[0].parameters == {"duration_in_seconds": 3}
    assert len({task.id for task in job.tasks}) == 3


@pytest.mark.parametrize("repeats", [{}, {"sleep_repeats": 0}, {"sleep_repeats": -1}])
async def test_without_repeats_it_only_echoes(repeats: dict[str, int]) -> None:
    job = await compiled(message="hello", sleep_duration_seconds=1, **repeats)
    assert [task.name for task in job.tasks] == ["echo"]


async def test_the_duration_has_a_default() -> None:
    job = await compiled(message="hello", sleep_repeats=1)
    assert job.tasks[1].commands[0].parameters == {"duration_in_seconds": 1}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "message"),
        ({"message": 5}, "message"),
        ({"message": "x", "sleep_repeats": "two"}, "sleep_repeats"),
        ({"message": "x", "sleep_duration_seconds": 1.5}, "sleep_duration_seconds"),
        ({"message": "x", "sleep_repeats": True}, "sleep_repeats"),
    ],
)
async def test_a_wrong_setting_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(JobTypeError, match=named):
        await compiled(**settings)
