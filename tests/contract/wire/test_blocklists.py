"""Blocklists: entries that expire, entries by hand, and all entries of a worker."""

from __future__ import annotations

from typing import Any

import pytest
from wire_conversation import FramesPlugin, job_of_frames, on_both

from flamenco_core.config import Duration
from flamenco_core.domain.events import JobBlocklistChanged
from flamenco_core.testing.fake_clock import FakeClock
from flamenco_core.wire.events import event_body, event_name, subject_of

pytestmark = on_both
HOUR = 3600 * 1_000_000
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


@pytest.fixture
def plugins() -> list[object]:
    return [FramesPlugin()]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"blocklist_expires_after": Duration.of(3600), "blocklist_threshold": 1}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def more(clock: FakeClock) -> dict[str, Any]:
    return {"clock": clock}


@pytest.fixture
def renderer(go_worker: Any) -> Any:
    async def join(name: str) -> Any:
        secret = name.ljust(64, "5")
        return await go_worker(name, secret=secret, task_types=["blender", "ffmpeg"]).join()

    return join


@pytest.fixture
def told(api: Any) -> Any:
    """Say what people were told of blocklists since the last time."""
    events = api.manager.bus.subscribe()

    async def since() -> list[Any]:
        found = []
        while not events._queue.empty():
            found.append((await events.next(1)).event)
        return [event for event in found if isinstance(event, JobBlocklistChanged)]

    return since


async def send(api: Any, method: str, path: str, body: Any = None, status: int = 204) -> Any:
    answer = await api.client.request(method, f"/api/v3/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def listed(api: Any, path: str) -> list[dict[str, Any]]:
    return list(await send(api, "GET", f"{path}/blocklist", status=200))


async def fail_once(worker: Any) -> None:
    task = (await worker.ask()).json()
    await worker.update(task, taskStatus="failed", activity="Failed: no GPU")


# -- entries that expire -----------------------------------------------------------------------


async def test_a_worker_may_try_again_when_its_time_is_over(
    api: Any, renderer: Any, clock: FakeClock, told: Any
) -> None:
    bad, _ = await renderer("bad"), await renderer("other")
    job = await job_of_frames(api, 3)
    await fail_once(bad)
    (entry,) = await listed(api, f"jobs/{job}")
    assert entry["reason"] == "it failed 1 tasks of type 'blender'"
    assert "added_by" not in entry
    assert entry["added_at"] < entry["expires_at"]
    (event,) = await told()
    assert [block.worker_name for block in event.added] == ["bad"]
    assert (await bad.ask()).status_code == 204
    clock._now += HOUR - 1
    await api.manager.expire_blocks()
    assert (await bad.ask()).status_code == 204
    clock._now += 1
    await api.manager.expire_blocks()
    (event,) = await told()
    assert (event.reason, [block.task_type for block in event.removed]) == ("expired", ["blender"])
    assert (event_name(event), subject_of(event)) == ("job", (job, ""))
    assert event_body(event)["blocklist"]["removed"][0]["worker_id"] == bad.uuid
    assert await listed(api, f"jobs/{job}") == []
    assert (await bad.ask()).json()["job"] == job


async def test_an_entry_is_no_reason_any_more_even_before_it_is_removed(
    api: Any, renderer: Any, clock: FakeClock
) -> None:
    bad, _ = await renderer("bad"), await renderer("other")
    job = await job_of_frames(api, 3)
    await fail_once(bad)
    why = f"worker-mgt/workers/{bad.uuid}/why"
    assert "blocklist" in str(await send(api, "GET", why, status=200))
    clock._now += HOUR
    assert len(await listed(api, f"jobs/{job}")) == 1
    assert "blocklist" not in str(await send(api, "GET", why, status=200))


async def test_who_fails_again_is_blocked_again_for_as_long(
    api: Any, renderer: Any, clock: FakeClock
) -> None:
    bad, _ = await renderer("bad"), await renderer("other")
    job = await job_of_frames(api, 3)
    await fail_once(bad)
    (first,) = await listed(api, f"jobs/{job}")
    clock._now += HOUR
    await api.manager.expire_blocks()
    await fail_once(bad)
    (second,) = await listed(api, f"jobs/{job}")
    assert second["expires_at"] > first["expires_at"]


@pytest.mark.parametrize("settings", [{"blocklist_threshold": 1}])
async def test_without_the_setting_it_is_for_good(
    api: Any, renderer: Any, clock: FakeClock
) -> None:
    bad, _ = await renderer("bad"), await renderer("other")
    job = await job_of_frames(api, 3)
    await fail_once(bad)
    clock._now += 10_000 * HOUR
    await api.manager.expire_blocks()
    (entry,) = await listed(api, f"jobs/{job}")
    assert "expires_at" not in entry


# -- by hand -----------------------------------------------------------------------------------


async def test_a_worker_is_blocked_by_hand_for_a_time_and_with_a_reason(
    api: Any, renderer: Any, clock: FakeClock, told: Any
) -> None:
    worker = await renderer("alfa")
    job = await job_of_frames(api, 2)
    task = (await worker.ask()).json()
    entry = {"worker_id": worker.uuid, "task_type": "Blender", "reason": "old GPU", "seconds": 60}
    await send(api, "POST", f"jobs/{job}/blocklist", [entry])
    (shown,) = await listed(api, f"jobs/{job}")
    assert (shown["worker_name"], shown["task_type"]) == ("alfa", "blender")
    assert shown["reason"] == "old GPU"
    (event,) = await told()
    assert event_body(event)["blocklist"]["added"][0]["expires_at"] == shown["expires_at"]
    assert (await worker.may_i_run(task))["mayKeepRunning"]
    await worker.update(task, taskStatus="completed")
    assert (await worker.ask()).status_code == 204
    clock._now += 60_000_000
    await api.manager.expire_blocks()
    assert (await worker.ask()).json()["job"] == job


async def test_requeueing_a_job_forgets_what_the_manager_has_added_only(
    api: Any, renderer: Any
) -> None:
    failing, old = await renderer("alfa"), await renderer("beta")
    job = await job_of_frames(api, 2)
    task = (await failing.ask()).json()
    await failing.update(task, taskStatus="failed")
    entry = {"worker_id": old.uuid, "task_type": "blender", "reason": "old GPU"}
    await send(api, "POST", f"jobs/{job}/blocklist", [entry])
    assert {entry["worker_name"] for entry in await listed(api, f"jobs/{job}")} == {"alfa", "beta"}
    for status in ("cancel-requested", "requeueing"):
        await send(api, "POST", f"jobs/{job}/setstatus", {"status": status, "reason": "test"})
    (left,) = await listed(api, f"jobs/{job}")
    assert (left["worker_name"], left["reason"]) == ("beta", "old GPU")


async def test_to_block_again_replaces_what_was_said(api: Any, renderer: Any) -> None:
    worker = await renderer("alfa")
    job = await job_of_frames(api, 2)
    for more in ({"seconds": 60, "reason": "a"}, {}):
        entry = {"worker_id": worker.uuid, "task_type": "blender", **more}
        await send(api, "POST", f"jobs/{job}/blocklist", [entry])
    (shown,) = await listed(api, f"jobs/{job}")
    assert "expires_at" not in shown
    assert (shown["reason"], shown["added_by"]) == ("somebody said so", "somebody")
    # What was shown can be sent back as it is.
    await send(api, "DELETE", f"jobs/{job}/blocklist", [shown])
    assert (await worker.ask()).json()["job"] == job


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"worker_id": NOWHERE}, 404, "no worker"),
        ({"worker_id": "alfa"}, 400, "UUID"),
        ({"task_type": "sculpt"}, 400, "no tasks of type 'sculpt'; it has: blender"),
        ({"task_type": ""}, 400, "it has: blender"),
        ({"seconds": 0}, 400, "from 1 to"),
        ({"seconds": -5}, 400, "from 1 to"),
        ({"seconds": 10**12}, 400, "ten years"),
        ({"seconds": "1h"}, 400, "seconds"),
        ({"reason": 7}, 400, "reason"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_stored(
    api: Any, renderer: Any, change: dict[str, Any], status: int, words: str
) -> None:
    worker = await renderer("alfa")
    job = await job_of_frames(api, 1)
    good = {"worker_id": worker.uuid, "task_type": "blender"}
    answer = await send(api, "POST", f"jobs/{job}/blocklist", [good, good | change], status)
    assert words in answer["message"]
    assert await listed(api, f"jobs/{job}") == []


async def test_an_empty_list_and_an_unknown_job_are_refused(api: Any, renderer: Any) -> None:
    job = await job_of_frames(api, 1)
    answer = await send(api, "POST", f"jobs/{job}/blocklist", [], 400)
    assert "nobody would be blocked" in answer["message"]
    entry = {"worker_id": NOWHERE, "task_type": "blender"}
    await send(api, "POST", f"jobs/{NOWHERE}/blocklist", [entry], 404)


# -- of a worker -------------------------------------------------------------------------------


async def test_all_entries_of_a_worker_are_shown_and_removed(
    api: Any, renderer: Any, told: Any
) -> None:
    alfa, bela = await renderer("alfa"), await renderer("bela")
    jobs = [await job_of_frames(api, 1, name=f"shot {n}") for n in range(3)]
    for job in jobs[:2]:
        both = [{"worker_id": one.uuid, "task_type": "blender"} for one in (alfa, bela)]
        await send(api, "POST", f"jobs/{job}/blocklist", both)
    await told()
    shown = await listed(api, f"worker-mgt/workers/{alfa.uuid}")
    assert [(one["job_id"], one["job_name"], one["job_status"]) for one in shown] == [
        (jobs[0], "shot 0", "queued"),
        (jobs[1], "shot 1", "queued"),
    ]
    await send(api, "DELETE", f"worker-mgt/workers/{alfa.uuid}/blocklist")
    assert await listed(api, f"worker-mgt/workers/{alfa.uuid}") == []
    assert len(await listed(api, f"worker-mgt/workers/{bela.uuid}")) == 2
    assert [event.removed[0].worker_name for event in await told()] == ["alfa", "alfa"]
    assert (await alfa.ask()).json()["job"] == jobs[0]


async def test_of_an_unknown_worker_there_is_nothing_to_show(api: Any) -> None:
    for method in ("GET", "DELETE"):
        await send(api, method, f"worker-mgt/workers/{NOWHERE}/blocklist", status=404)
