"""The ``jobs`` operations on tasks."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Controller, get, post

from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    body_of,
    empty,
    manager_of,
    path_id,
    reply,
)
from flamenco_core.manager.http.views import task_view
from flamenco_core.manager.log_view import log_size, log_tail
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases import control
from flamenco_core.manager.usecases.read_log import LogPlan, plan_log
from flamenco_core.offers.operations import Raw, operation
from flamenco_core.wire import tasks as wire

__all__ = ["TaskController"]

TAIL = 2048


class TaskController(Controller):
    """Look at tasks, read their logs, and say what shall become of them."""

    path = "/api/v3/tasks/{task_id:str}"
    tags = ["jobs"]

    @get("/", opt=operation("fetchTask", wire.Task))
    async def fetch_task(self, request: Request[Any, Any, Any]) -> Answer:
        """Show a task."""
        task = path_id(request, "task_id")
        row, failed_by = await manager_of(request).database.read(_with_failures, task)
        return reply(task_view(row, failed_by))

    @get("/logtail", opt=operation("fetchTaskLogTail", {200: Raw("text/plain"), 204: None}))
    async def log_tail(self, request: Request[Any, Any, Any]) -> Answer:
        """Return the end of a task's log as text."""
        manager = manager_of(request)
        plan = await _plan(request)
        text = await asyncio.to_thread(log_tail, manager.logs, plan, TAIL)
        if not text:
            return empty()
        return Answer(text.encode(), media_type="text/plain; charset=UTF-8")

    @get("/log", opt=operation("fetchTaskLogInfo", {200: wire.TaskLogInfo, 204: None}))
    async def log_info(self, request: Request[Any, Any, Any]) -> Answer:
        """Say where a task's log can be downloaded."""
        manager = manager_of(request)
        plan = await _plan(request)
        size = await asyncio.to_thread(log_size, manager.logs, plan)
        if not size:
            return empty()
        base = request.scope.get("root_path", "")
        url = f"{base}/job-files/job-{plan.job_id[:4]}/{plan.job_id}/task-{plan.task_id}.txt"
        return reply(wire.TaskLogInfo(task_id=plan.task_id, job_id=plan.job_id, url=url, size=size))

    @post(
        "/setstatus",
        opt=operation("setTaskStatus", takes=wire.TaskStatusChange, refuses=[422]),
        status_code=200,
    )
    async def set_status(self, request: Request[Any, Any, Any]) -> Answer:
        """Cancel or requeue a task."""
        manager, task = manager_of(request), path_id(request, "task_id")
        body = await body_of(request, wire.TaskStatusChange)
        await manager.database.write(
            control.request_task_status, task, body.status, body.reason, manager.rules
        )
        return empty()


async def _plan(request: Request[Any, Any, Any]) -> LogPlan:
    manager, task = manager_of(request), path_id(request, "task_id")
    return await manager.database.read(plan_log, task, manager.command_words.lines)


def _with_failures(tx: Tx, task: str) -> tuple[Row, list[Row]]:
    row = task_rows.task_by_uuid(tx, task)
    return row, task_rows.failed_by(tx, row.id)
