"""``/metrics``, as Prometheus reads it; on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flamenco_core.manager import census

DATABASES = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
)


async def figures(api: Any) -> dict[Any, float]:
    """Return the figures by name, those with labels by name and the labels' values."""
    answer = await api.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: dict[Any, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found[(sample.name, *labels) if labels else sample.name] = sample.value
    return found


@DATABASES
async def test_the_farm_is_counted(api, go_worker, jobs, monkeypatch) -> None:
    monkeypatch.setattr(census, "FRESH", 0.0)
    empty = await figures(api)
    assert empty["flamenco_jobs", "active"] == 0
    assert empty["flamenco_tasks", "queued"] == 0
    await jobs(sleeps=3)
    worker = await go_worker().join()
    task = (await worker.ask()).json()
    found = await figures(api)
    assert found["flamenco_jobs", "active"] == 1
    assert found["flamenco_tasks", "active"] == 1
    assert found["flamenco_tasks", "queued"] == 3
    assert found["flamenco_tasks_ready"] == 0  # the sleeps wait for the echo
    assert found["flamenco_workers", "awake"] == 1
    assert found["flamenco_claims_total"] == 1
    await worker.update(task, taskStatus="completed")
    found = await figures(api)
    assert found["flamenco_tasks", "completed"] == 1
    assert found["flamenco_tasks", "queued"] == found["flamenco_tasks_ready"] == 3
    assert found["flamenco_commit_seconds_count"] > 3
    assert found["flamenco_commit_writes_total"] >= found["flamenco_commit_seconds_count"]
    assert found["flamenco_writes_queued"] == 0


async def test_the_database_is_asked_once_in_a_few_seconds(api, jobs) -> None:
    assert (await figures(api))["flamenco_jobs", "queued"] == 0
    await jobs()
    assert (await figures(api))["flamenco_jobs", "queued"] == 0


async def test_answers_are_counted_by_operation_and_status(api) -> None:
    for path in ("version", "version", "jobs/nonsense", "no-such"):
        await api.client.get(f"/api/v3/{path}")
    found = await figures(api)
    assert found["flamenco_answer_seconds_count", "getVersion", "200"] == 2
    assert found["flamenco_answer_seconds_count", "fetchJob", "400"] == 1
    assert found["flamenco_answer_seconds_count", "", "404"] == 1
    assert found["flamenco_answer_seconds_bucket", "+Inf", "getVersion", "200"] == 2
    assert found["flamenco_answer_seconds_sum", "getVersion", "200"] > 0


async def test_waiting_for_work_is_not_being_slow(api, go_worker) -> None:
    worker = await go_worker().join()
    await worker.post("task", Prefer="wait=1")
    found = await figures(api)
    assert found["flamenco_answer_seconds_sum", "scheduleTask", "204"] < 0.9


async def test_listeners_and_refusals_are_counted(api) -> None:
    subscription = api.manager.bus.subscribe()
    await api.client.get("/live", headers={"Host": "evil.example"})
    found = await figures(api)
    assert found["flamenco_event_clients"] == 1
    assert found["flamenco_event_resets_total"] == 0
    assert found["flamenco_rate_limited_total"] == 0
    assert found["flamenco_answer_seconds_count", "", "421"] == 1
    assert found["flamenco_service_failures_total", "last-seen"] == 0
    assert found["process_resident_memory_bytes"] > 1_000_000
    api.manager.bus.unsubscribe(subscription)


async def test_a_slow_listener_is_counted(api) -> None:
    subscription = api.manager.bus.subscribe()
    for _ in range(1001):
        api.manager.tell_log("j", "t", "x")
    assert (await figures(api))["flamenco_event_resets_total"] >= 1
    api.manager.bus.unsubscribe(subscription)


@pytest.mark.parametrize(
    ("plugin", "path"), [("metrics", "/metrics"), ("discovery", "/upnp/description.xml")]
)
async def test_a_blocked_plugin_takes_its_page_along(manager, plugin: str, path: str) -> None:
    async with manager() as running:
        assert (await running.client.get(path)).status_code == 200
    async with manager(blocked={plugin}) as running:
        assert (await running.client.get(path)).status_code == 404
