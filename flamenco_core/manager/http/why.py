"""Say why a task or a worker is not at work; the same for a job is with the jobs."""

from __future__ import annotations

from typing import Any

from litestar import Controller, get

from flamenco_core.domain.statuses import TaskStatus, WorkerStatus
from flamenco_core.manager.http.plumbing import Answer, Request, manager_of, path_id, reply
from flamenco_core.manager.usecases.why_task import why_task
from flamenco_core.manager.usecases.why_worker import why_worker
from flamenco_core.offers.operations import operation
from flamenco_core.wire.jobs import WaitingTask
from flamenco_core.wire.why import TaskWhy, WorkerWhy

__all__ = ["WhyController"]


class WhyController(Controller):
    """Why nothing goes on."""

    path = "/api/v3"
    tags = ["system"]

    @get("/tasks/{task_id:str}/why", opt=operation("fetchTaskWhy", TaskWhy))
    async def why_task(self, request: Request[Any, Any, Any]) -> Answer:
        """Say why a task is not at work."""
        manager, task = manager_of(request), path_id(request, "task_id")
        found = await manager.database.read(why_task, task, manager.rules)
        return reply(
            TaskWhy(
                task_id=task,
                job_id=found.task.job_uuid,
                name=found.task.name,
                status=TaskStatus(found.task.status),
                reason=found.words,
                waits_for=[WaitingTask(parent.uuid, parent.name) for parent in found.waits_for],
            )
        )

    @get("/worker-mgt/workers/{worker_id:str}/why", opt=operation("fetchWorkerWhy", WorkerWhy))
    async def why_worker(self, request: Request[Any, Any, Any]) -> Answer:
        """Say why a worker is not at work."""
        worker = path_id(request, "worker_id")
        row, reasons = await manager_of(request).database.read(why_worker, worker)
        return reply(
            WorkerWhy(
                worker_id=worker, name=row.name, status=WorkerStatus(row.status), reasons=reasons
            )
        )
