"""Look for stuck jobs, on request."""

from __future__ import annotations

from typing import Any

from litestar import Controller, post

from flamenco_core.manager.http.plumbing import Answer, Request, body_of, manager_of, reply
from flamenco_core.manager.stuck import Found
from flamenco_core.offers.operations import operation
from flamenco_core.wire import stuck as wire

__all__ = ["StuckController"]


class StuckController(Controller):
    """Jobs that do not go on by themselves."""

    path = "/api/v3/jobs/check-stuck"
    tags = ["jobs"]

    @post(
        "/",
        opt=operation("checkStuckJobs", wire.StuckFound, takes=wire.StuckCheck),
        status_code=200,
    )
    async def check(self, request: Request[Any, Any, Any]) -> Answer:
        """Repair what can be repaired, and say what nobody can run."""
        body = await body_of(request, wire.StuckCheck)
        return reply(_view(await manager_of(request).stuck.check(body.impossible_tasks)))


def _view(found: Found) -> wire.StuckFound:
    return wire.StuckFound(
        repaired=[
            wire.StuckJob(job_id=job.job_id, name=job.name, previous_status=job.was, status=job.now)
            for job in found.repaired
        ],
        impossible=[
            wire.StuckTasks(
                job_id=tasks.job_id,
                job_name=tasks.job_name,
                task_type=tasks.task_type,
                tasks_count=tasks.count,
                reason=tasks.reason,
                done=tasks.done,
            )
            for tasks in found.impossible
        ],
    )
