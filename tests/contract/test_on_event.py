from __future__ import annotations

import asyncio
import logging

from flamenco_core.domain.events import Event, JobFacts, JobStatusChanged, ManagerStarted
from flamenco_core.domain.statuses import JobStatus


def changed(status: JobStatus) -> JobStatusChanged:
    job = JobFacts(
        id="1",
        name="shot 7",
        type="greet",
        priority=50,
        status=status,
        updated=0,
        steps_completed=0,
        steps_total=0,
    )
    return JobStatusChanged(job=job, previous_status=JobStatus.ACTIVE)


async def test_the_example_logs_finished_jobs(load, example, caplog) -> None:
    plugins = load("manager", example("on_event"))
    with caplog.at_level(logging.INFO):
        for event in (ManagerStarted(), changed(JobStatus.FAILED), changed(JobStatus.COMPLETED)):
            await plugins.tell("on_event", event=event, host=None)
    assert [record.getMessage() for record in caplog.records] == ["shot 7 is done"]


async def test_one_that_fails_keeps_nobody_from_hearing(load, implementing, caplog) -> None:
    heard: list[object] = []

    async def broken(event: object) -> None:
        raise RuntimeError("chat is down")

    plugins = load(
        "manager",
        implementing("listener", on_event=lambda event: heard.append(event)),
        implementing("broken", on_event=broken),
    )
    await plugins.tell("on_event", event=ManagerStarted(), host=None)
    assert heard == [ManagerStarted()]
    assert plugins["broken"].failures == 1
    assert "chat is down" in caplog.text


# -- in a Manager ----------------------------------------------------------------------------


async def test_a_manager_tells_everything_after_it_is_stored(manager, implementing) -> None:
    heard: list[Event] = []
    async with manager([implementing(on_event=lambda event: heard.append(event))]) as running:
        job = await running.submit("echo-sleep-test", {"message": "x"})
        body = {"status": "cancel-requested", "reason": "y"}
        await running.client.post(f"/api/v3/jobs/{job}/setstatus", json=body)
        refused = await running.client.post("/api/v3/jobs", json={"name": "x"})
        assert refused.status_code == 400
    kinds = [type(event).__name__ for event in heard]
    assert kinds == [
        "ManagerStarted",
        "JobSubmitted",
        "JobStatusChanged",
        "JobStatusChanged",
        "ManagerStopping",
    ]


async def test_a_slow_listener_holds_up_no_request(manager, implementing, caplog) -> None:
    async def on_event() -> None:
        await asyncio.Event().wait()

    async with manager([implementing(on_event=on_event)]) as running:
        async with asyncio.timeout(5):
            await running.submit("echo-sleep-test", {"message": "x"})
    assert "still busy with an event" in caplog.text
