"""A log that cannot be written is never a reason to lose a result."""

from __future__ import annotations

import errno
from typing import Any

import pytest


async def running_task(go_worker: Any, jobs: Any) -> tuple[Any, Any]:
    worker, _ = await go_worker().join(), await jobs()
    return worker, (await worker.ask()).json()


def break_logs(monkeypatch: pytest.MonkeyPatch, api: Any, number: int) -> None:
    def broken(*_: Any) -> str:
        raise OSError(number, "broken")

    monkeypatch.setattr(api.manager.logs, "write", broken)


@pytest.mark.parametrize("number", [errno.EIO, errno.ELOOP, errno.ENOSPC])
@pytest.mark.parametrize("wish", [{}, {"Prefer": "next-task"}])
async def test_the_result_counts(
    api: Any, go_worker: Any, jobs: Any, monkeypatch: Any, caplog: Any, number: int, wish: Any
) -> None:
    worker, task = await running_task(go_worker, jobs)
    break_logs(monkeypatch, api, number)
    said = {"taskStatus": "completed", "log": "Done"}
    answer = await worker.post(f"task/{task['uuid']}", said, **wish)
    assert answer.status_code in {200, 204}
    shown = (await api.client.get(f"/api/v3/tasks/{task['uuid']}")).json()
    assert shown["status"] == "completed"
    assert f"the log of task {task['uuid']} cannot be written" in caplog.text


@pytest.fixture
def look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flamenco_core.manager.readiness.FRESH", 0.0)


async def test_where_nothing_can_be_stored_the_worker_keeps_the_text(
    look_each_time: None, api: Any, go_worker: Any, jobs: Any, monkeypatch: Any
) -> None:
    worker, task = await running_task(go_worker, jobs)
    with monkeypatch.context() as patch:
        break_logs(patch, api, errno.ENOSPC)
        patch.setattr(api.manager.database, "has_space", lambda: False)
        answer = await worker.update(task, log="kept by the worker")
    assert answer.status_code == 507
    assert answer.headers["retry-after"] == "1"
    assert (await worker.update(task, log="kept by the worker")).status_code == 204
    assert "kept by the worker" in await api.log(task["uuid"])
