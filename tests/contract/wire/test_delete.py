"""Jobs are deleted with all that they own, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from flamenco_core.clock import from_rfc3339, rfc3339
from flamenco_core.domain.events import JobDeleted, JobEvent
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import attempts, jobs, lanes, notes, tasks
from flamenco_core.manager.usecases import delete
from flamenco_core.wire.events import event_body

pytestmark = pytest.mark.parametrize(
    "database",
    [None, pytest.param("postgresql", marks=pytest.mark.postgresql)],
    ids=["sqlite", "postgresql"],
    indirect=True,
)
NOWHERE = "1f2c5e74-7c8e-4a51-8c5d-111111111111"


async def ask(api: Any, method: str, path: str, body: Any = None) -> Any:
    return await api.client.request(method, f"/api/v3/{path}", json=body)


async def delete_now(api: Any, job: str) -> None:
    assert (await ask(api, "DELETE", f"jobs/{job}")).status_code == 204
    await api.manager.deletion.delete_marked()


async def rows(api: Any) -> dict[str, int]:
    def count(tx: Any) -> dict[str, int]:
        owned = (jobs, lanes, tasks, attempts, notes)
        return {t.name: tx.value(Query(select(func.count()).select_from(t))) for t in owned}

    return await api.manager.database.read(count)


async def test_a_deleted_job_is_gone_with_all_its_rows_and_files(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    other = await jobs()
    before = await rows(api)
    worker, job = await go_worker().join(), await jobs(priority=90)
    task = (await worker.ask()).json()
    assert task["job"] == job
    await worker.update(task, log="hello")
    folder = api.manager.logs.folder(job)
    assert folder.is_dir()
    await delete_now(api, job)
    assert (await ask(api, "GET", f"jobs/{job}")).status_code == 404
    assert [shown["id"] for shown in (await ask(api, "GET", "jobs")).json()["jobs"]] == [other]
    assert await rows(api) == before
    assert not folder.exists()


async def test_its_worker_hears_that_there_is_no_such_task(
    api: Any, go_worker: Any, jobs: Any
) -> None:
    worker, job = await go_worker().join(), await jobs()
    task = (await worker.ask()).json()
    await delete_now(api, job)
    assert (await worker.may_i_run(task))["mayKeepRunning"] is False
    assert (await worker.update(task, taskStatus="completed")).status_code == 404
    assert (await worker.ask()).status_code == 204
    # And the worker is free for the next one.
    assert (await jobs()) == (await worker.ask()).json()["job"]


async def test_a_marked_job_gives_out_nothing_and_cannot_be_changed(
    api: Any, go_worker: Any, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def erase(storage: Any, job: str, checkout: str) -> None:
        raise OSError("the share is away")

    # Whoever has the duty may look for marked jobs at any moment.
    monkeypatch.setattr(type(api.manager.storage), "erase", erase)
    job = await jobs()
    await api.manager.database.write(delete.request_deletion, job)
    assert (await (await go_worker().join()).ask()).status_code == 204
    assert "delete_requested_at" in await api.job(job)
    answer = await ask(api, "POST", f"jobs/{job}/setstatus", {"status": "paused", "reason": "x"})
    assert answer.status_code == 422
    assert "being deleted" in answer.json()["message"]


async def test_what_cannot_be_erased_is_tried_again(
    api: Any, jobs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = await jobs(), await jobs()
    disk_is_away = True

    async def erase(storage: Any, job: str, checkout: str) -> None:
        if job == bad and disk_is_away:
            raise OSError("the share is away")

    monkeypatch.setattr(type(api.manager.storage), "erase", erase)
    for job in (bad, good):
        await delete_now(api, job)
    assert "delete_requested_at" in await api.job(bad)
    assert (await ask(api, "GET", f"jobs/{good}")).status_code == 404
    assert f"job {bad} could not be deleted; it will be tried again" in caplog.text
    disk_is_away = False
    await api.manager.deletion.delete_marked()
    assert (await ask(api, "GET", f"jobs/{bad}")).status_code == 404


async def test_a_big_job_is_deleted_in_parts(
    api: Any, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete, "PART", 2)
    job = await jobs(5)
    await delete_now(api, job)
    assert set((await rows(api)).values()) == {0}


async def test_it_is_told_when_it_is_asked_and_once_when_it_is_done(
    api: Any, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await jobs()
    told: list[Any] = []
    publish = api.manager.bus.publish
    monkeypatch.setattr(
        api.manager.bus, "publish", lambda events: (told.extend(events), publish(events))[1]
    )
    await delete_now(api, job)
    await delete_now_again(api, job)
    bodies = [event_body(event) for event in told if isinstance(event, JobEvent)]
    assert ["delete_requested_at" in bodies[0], "was_deleted" in bodies[-1]] == [True, True]
    assert sum(isinstance(event, JobDeleted) for event in told) == 1


async def delete_now_again(api: Any, job: str) -> None:
    assert (await ask(api, "DELETE", f"jobs/{job}")).status_code == 404


async def test_shaman_is_named_only_where_it_is_used(api: Any, jobs: Any) -> None:
    answer = await ask(api, "GET", f"jobs/{await jobs()}/what-would-delete-do")
    assert answer.json() == {"shaman_checkout": False}


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("GET", "/what-would-delete-do")])
async def test_an_unknown_job_is_404(api: Any, method: str, path: str) -> None:
    answer = await ask(api, method, f"jobs/{NOWHERE}{path}")
    assert answer.status_code == 404
    assert NOWHERE in answer.json()["message"]


# -- many at once ----------------------------------------------------------------------------


async def test_jobs_that_have_not_changed_since_are_deleted(api: Any, jobs: Any) -> None:
    old = [await jobs(), await jobs()]
    latest = (await api.job(old[1]))["updated"]
    answer = await ask(api, "DELETE", "jobs/mass-delete", {"last_updated_max": latest})
    assert answer.status_code == 204
    await api.manager.deletion.delete_marked()
    assert [(await ask(api, "GET", f"jobs/{job}")).status_code for job in old] == [404, 404]


async def test_the_time_is_rounded_up_to_its_second(api: Any, jobs: Any) -> None:
    job = await jobs()
    second = from_rfc3339((await api.job(job))["updated"]) // 1_000_000 * 1_000_000
    body = {"last_updated_max": rfc3339(second + 1)}
    assert (await ask(api, "DELETE", "jobs/mass-delete", body)).status_code == 204


async def test_none_so_old_is_416_and_deletes_nothing(api: Any, jobs: Any) -> None:
    job = await jobs()
    body = {"last_updated_max": "2020-01-01T00:00:00+02:00"}
    assert (await ask(api, "DELETE", "jobs/mass-delete", body)).status_code == 416
    assert "delete_requested_at" not in await api.job(job)


@pytest.mark.parametrize(
    "body", [{}, {"last_updated_max": "yesterday"}, {"last_updated_max": "2026-04-01T10:00:00"}]
)
async def test_a_time_that_is_none_is_refused(api: Any, body: Any) -> None:
    answer = await ask(api, "DELETE", "jobs/mass-delete", body)
    assert answer.status_code == 400
    assert "last_updated_max" in answer.json()["message"]
