"""Limits that are changed while the Manager works: each counts for the next request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from flamenco_core import JobType, hookimpl
from flamenco_core.domain.events import SettingsChanged
from flamenco_core.domain.frames import frame_numbers
from flamenco_core.errors import JobTypeError
from flamenco_core.manager.settings import load_manager_settings
from flamenco_core.testing import RunningManager

JOBS = "/api/v3/jobs"
JOB = {"name": "x", "type": "plain", "submitter_platform": "linux"}


@attrs.frozen(kw_only=True)
class Plain(JobType):
    """As many tasks as there are frames, with so many commands."""

    name = "plain"
    label = "Plain"

    def author(self, author: Any) -> None:
        """Write them."""
        try:
            frames = frame_numbers(author.settings.get("frames", "1"), author.job.most_frames)
        except ValueError as error:
            raise JobTypeError(str(error)) from error
        for frame in frames:
            task = author.task(f"t{frame}", "misc")
            for _ in range(author.settings.get("commands", 1)):
                task.command("echo", {"message": "hi"})


@pytest.fixture
async def api(manager: Any, tmp_path: Path, judge: Any) -> AsyncIterator[RunningManager]:
    (tmp_path / "shared").mkdir()
    file = tmp_path / "flamenco-manager.yaml"
    file.write_text(f"shared_storage_path: {tmp_path / 'shared'}\n")
    plugin = type("Plugin", (), {"register_job_types": hookimpl(lambda self: [Plain])})()
    loaded = load_manager_settings(file, environ={})
    async with manager([plugin], settings=loaded) as running:
        running.client.event_hooks["response"].append(judge)
        yield running


async def change(api: RunningManager, **limits: Any) -> Any:
    body = {"limits": limits}
    answer = await api.client.put("/api/v3/configuration/file", json=body)
    assert answer.status_code == 204, answer.text
    assert "restart-needed" not in answer.headers
    return answer


def submits(**settings: Any) -> Callable[[RunningManager], Any]:
    return lambda api: api.client.post(JOBS, json={**JOB, "settings": settings})


def registers(**fields: Any) -> Callable[[RunningManager], Any]:
    body = {"name": "w", "secret": "s", "platform": "linux", "supported_task_types": ["misc"]}
    path = "/api/v3/worker/register-worker"
    return lambda api: api.client.post(path, json={**body, **fields})


LIMITS: list[tuple[str, int, Callable[[RunningManager], Any], int]] = [
    ("body_kilobytes", 16, registers(padding="x" * 17_000), 413),
    ("job_body_megabytes", 1, submits(script="x" * 2**20), 413),
    ("json_depth", 8, submits(a=[[[[[[[[1]]]]]]]]), 400),
    ("json_keys", 1000, submits(**{f"k{n}": "" for n in range(1001)}), 400),
    ("json_values", 1000, submits(a=[1] * 1001), 400),
    ("json_text_kilobytes", 1, registers(padding="x" * 1100), 400),
    ("tasks_per_job", 9, submits(frames="1-10"), 400),
    ("commands_per_task", 9, submits(commands=10), 400),
    ("frames_per_range", 9, submits(frames="1-10"), 400),
]


@pytest.mark.parametrize(("limit", "value", "ask", "status"), LIMITS, ids=[x[0] for x in LIMITS])
async def test_a_limit_counts_from_the_next_request_on(
    api, limit: str, value: int, ask: Callable[[RunningManager], Any], status: int
) -> None:
    before = await ask(api)
    assert before.status_code == 200, before.text
    await change(api, **{limit: value})
    refused = await ask(api)
    assert refused.status_code == status
    assert f"(limits: {limit})" in refused.json()["message"]  # the operator finds the cure
    await change(api, **{limit: None})
    assert (await ask(api)).status_code == 200


async def test_a_rate_counts_from_the_next_request_on(api) -> None:
    seen: list[int] = []
    rates = api.manager.rates
    for limit in (2, 5):
        await change(api, requests_per_minute=limit)
        seen.append(rates.strangers.limit)
    assert seen == [2, 5]


async def test_a_limit_of_a_log_counts_from_the_next_message_on(api) -> None:
    answer = await api.client.put(
        "/api/v3/configuration/file", json={"task_logs": {"message_kilobytes": 1}}
    )
    assert "restart-needed" not in answer.headers
    assert api.manager.logs.limits.message == 1024


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("body_kilobytes", 15, "must be >= 16"),
        ("job_body_megabytes", 0, "must be >= 1"),
        ("image_megabytes", 129, "must be <= 128"),
        ("json_depth", 257, "must be <= 256"),
        ("json_keys", "many", "must be a whole number"),
        ("frames_per_range", -1, "must be >= 1"),
        ("header_timeout", "5 parsecs", "must be a duration such as 90s"),
    ],
)
async def test_a_wrong_limit_is_named_with_its_line_and_changes_nothing(
    api, limit: str, value: Any, words: str
) -> None:
    before = api.manager.settings
    body = {"limits": {limit: value}}
    answer = await api.client.put("/api/v3/configuration/file", json=body)
    assert answer.status_code == 400
    message = answer.json()["message"]
    assert f"flamenco-manager.yaml:3: limits.{limit}: " in message
    assert words in message
    assert api.manager.settings is before


async def test_settings_are_replaced_never_changed(api) -> None:
    before = api.manager.settings
    await change(api, json_keys=5000)
    assert before.limits.json_keys == 20_000
    assert api.manager.settings.limits.json_keys == 5000


async def test_others_are_told_which_settings_changed_and_through_what(api) -> None:
    subscription = api.manager.bus.subscribe()
    await change(api, json_keys=5000)
    agent = {"User-Agent": "flamenco-cli"}
    secret = {"mqtt": {"client": {"password": "hunter2"}}, "listen": ":9"}
    await api.client.put("/api/v3/configuration/file", json=secret, headers=agent)
    subscription.close()
    told = [numbered.event async for numbered in subscription]
    assert told == [
        SettingsChanged(keys=("limits.json_keys",), source="web"),
        SettingsChanged(
            keys=("listen", "mqtt.client.password"),
            source="command line",
            restart_needed=("listen",),
        ),
    ]
    assert "hunter2" not in json.dumps([str(event) for event in told])


async def test_what_changes_nothing_is_not_told(api) -> None:
    subscription = api.manager.bus.subscribe()
    await change(api, json_keys=20_000)
    subscription.close()
    assert [numbered async for numbered in subscription] == []
