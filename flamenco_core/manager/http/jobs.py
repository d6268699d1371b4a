"""The ``jobs`` operations on jobs."""

from __future__ import annotations

from typing import Any

import attrs
from litestar import Controller, delete, get, post

from flamenco_core.clock import from_rfc3339
from flamenco_core.errors import BadRequest
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    body_of,
    empty,
    manager_of,
    path_id,
    reply,
)
from flamenco_core.manager.http.retention import retention_of
from flamenco_core.manager.http.views import job_view, task_summary, why_view
from flamenco_core.manager.intake import BODY
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.submission import compile_job, submit
from flamenco_core.manager.usecases import control, tags
from flamenco_core.manager.usecases import delete as deletion
from flamenco_core.manager.usecases.why import why_job
from flamenco_core.offers.operations import operation
from flamenco_core.wire import jobs as wire
from flamenco_core.wire.tasks import JobTasksSummary

__all__ = ["JobController"]


class JobController(Controller):
    """Submit jobs, look at them, and say what shall become of them."""

    path = "/api/v3/jobs"
    tags = ["jobs"]

    @get("/", opt=operation("fetchJobs", wire.JobsQueryResult))
    async def fetch_jobs(self, request: Request[Any, Any, Any]) -> Answer:
        """List all jobs, oldest first."""
        rows = await manager_of(request).database.read(job_rows.all_jobs)
        return reply(wire.JobsQueryResult([job_view(row) for row in rows]))

    @post(
        "/",
        opt=operation("submitJob", wire.Job, takes=wire.SubmittedJob, refuses=[412])
        | {BODY: "job"},
        status_code=200,
    )
    async def submit_job(self, request: Request[Any, Any, Any]) -> Answer:
        """Compile and store a job."""
        body = await body_of(request, wire.SubmittedJob, "job")
        return reply(job_view(await submit(manager_of(request), body)))

    @post(
        "/check",
        opt=operation("submitJobCheck", takes=wire.SubmittedJob, refuses=[412]) | {BODY: "job"},
        status_code=200,
    )
    async def check_job(self, request: Request[Any, Any, Any]) -> Answer:
        """Say whether a job could be submitted, without storing it."""
        await compile_job(manager_of(request), await body_of(request, wire.SubmittedJob, "job"))
        return empty()

    @get("/{job_id:str}", opt=operation("fetchJob", wire.Job))
    async def fetch_job(self, request: Request[Any, Any, Any]) -> Answer:
        """Show a job."""
        manager, job = manager_of(request), path_id(request, "job_id")
        shown = job_view(await manager.database.read(job_rows.job_by_uuid, job))
        kept = await retention_of(manager, job)
        said = kept.keep or kept.seconds is not None or kept.expires is not None
        return reply(attrs.evolve(shown, retention=kept if said else None))

    @get("/{job_id:str}/tasks", opt=operation("fetchJobTasks", JobTasksSummary))
    async def fetch_tasks(self, request: Request[Any, Any, Any]) -> Answer:
        """List a job's tasks; an unknown job has none."""
        job = path_id(request, "job_id")
        rows = await manager_of(request).database.read(task_rows.tasks_of_job, job)
        return reply(JobTasksSummary([task_summary(row) for row in rows]))

    @delete("/{job_id:str}", opt=operation("deleteJob"), status_code=200)
    async def delete_job(self, request: Request[Any, Any, Any]) -> Answer:
        """Let a job be deleted."""
        manager, job = manager_of(request), path_id(request, "job_id")
        await manager.database.write(deletion.request_deletion, job)
        await manager.deletion.ask()
        return empty()

    @delete(
        "/mass-delete",
        opt=operation("deleteJobMass", takes=wire.JobMassDeletionSelection, refuses=[416]),
        status_code=200,
    )
    async def delete_jobs(self, request: Request[Any, Any, Any]) -> Answer:
        """Let all jobs be deleted that have not changed for long."""
        manager = manager_of(request)
        body = await body_of(request, wire.JobMassDeletionSelection)
        await manager.database.write(deletion.request_deletions, _whole_second(body))
        await manager.deletion.ask()
        return empty()

    @get(
        "/{job_id:str}/what-would-delete-do",
        opt=operation("deleteJobWhatWouldItDo", wire.JobDeletionInfo),
    )
    async def what_would_delete_do(self, request: Request[Any, Any, Any]) -> Answer:
        """Say whether a job's files would be deleted with it."""
        manager, job = manager_of(request), path_id(request, "job_id")
        row = await manager.database.read(job_rows.job_by_uuid, job)
        return reply(wire.JobDeletionInfo(manager.storage.shaman and bool(row.shaman_checkout_id)))

    @get("/{job_id:str}/why", opt=operation("fetchJobWhy", wire.JobWhy))
    async def why(self, request: Request[Any, Any, Any]) -> Answer:
        """Say why a job's tasks are not at work."""
        job = path_id(request, "job_id")
        row, reasons = await manager_of(request).database.read(why_job, job)
        return reply(why_view(row, reasons))

    @post(
        "/{job_id:str}/setstatus",
        opt=operation("setJobStatus", takes=wire.JobStatusChange, refuses=[422]),
        status_code=200,
    )
    async def set_status(self, request: Request[Any, Any, Any]) -> Answer:
        """Cancel, pause or requeue a job."""
        manager, job = manager_of(request), path_id(request, "job_id")
        body = await body_of(request, wire.JobStatusChange)
        await manager.database.write(
            control.request_job_status, job, body.status, body.reason, manager.rules
        )
        return empty()

    @post(
        "/{job_id:str}/setpriority",
        opt=operation("setJobPriority", takes=wire.JobPriorityChange, refuses=[422]),
        status_code=200,
    )
    async def set_priority(self, request: Request[Any, Any, Any]) -> Answer:
        """Give a job another priority."""
        job = path_id(request, "job_id")
        body = await body_of(request, wire.JobPriorityChange)
        database = manager_of(request).database
        await database.write(control.set_job_priority, job, body.priority)
        return empty()

    @post(
        "/{job_id:str}/settag",
        opt=operation("setJobTag", takes=wire.JobTagChange, refuses=[406, 422]),
        status_code=200,
    )
    async def set_tag(self, request: Request[Any, Any, Any]) -> Answer:
        """Tie a job to the workers with a tag, or to none."""
        job, body = path_id(request, "job_id"), await body_of(request, wire.JobTagChange)
        await manager_of(request).database.write(tags.set_job_tag, job, body.id, body.name)
        return empty()


def _whole_second(body: wire.JobMassDeletionSelection) -> int:
    """Return the end of the second: clients show and send whole ones."""
    try:
        latest = from_rfc3339(body.last_updated_max)
    except (ValueError, OverflowError):
        raise BadRequest(
            "JobMassDeletionSelection.last_updated_max must be a time with its zone, such as"
            f" 2026-04-01T10:00:00Z, not {body.last_updated_max!r:.40}"
        ) from None
    return -(-latest // 1_000_000) * 1_000_000
