"""Rows as bodies of the wire."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flamenco_core.clock import rfc3339
from flamenco_core.domain.newcomers import STRANGER, Newcomer
from flamenco_core.domain.statuses import JobStatus, TaskStatus, WorkerStatus
from flamenco_core.domain.workers import AWAY
from flamenco_core.manager.liveness import Liveness
from flamenco_core.wire import jobs, tasks, worker_mgt
from flamenco_core.wire.worker import Command

__all__ = [
    "job_view",
    "tag_view",
    "task_summary",
    "task_view",
    "task_worker",
    "why_view",
    "worker_summary",
    "worker_view",
]


def job_view(row: Any) -> jobs.Job:
    """Show a job."""
    checkout = row.shaman_checkout_id
    return jobs.Job(
        id=row.uuid,
        name=row.name,
        type=row.type,
        priority=row.priority,
        created=rfc3339(row.created_at),
        updated=rfc3339(row.updated_at),
        status=JobStatus(row.status),
        activity=row.activity,
        steps_completed=row.steps_completed,
        steps_total=row.steps_total,
        settings=json.loads(row.settings),
        metadata=json.loads(row.metadata),
        storage=jobs.JobStorageInfo(checkout) if checkout else None,
        worker_tag=row.tag_uuid,
        delete_requested_at=_time(row.delete_requested_at),
    )


def why_view(row: Any, reasons: Iterable[Any]) -> jobs.JobWhy:
    """Show why a job's tasks wait."""
    return jobs.JobWhy(
        job_id=row.uuid,
        status=JobStatus(row.status),
        reasons=[
            jobs.WaitingReason(
                reason=found.words,
                tasks_count=found.count,
                tasks=[jobs.WaitingTask(*task) for task in found.tasks],
            )
            for found in reasons
        ],
    )


def task_worker(row: Any) -> tasks.TaskWorker:
    """Show the worker of a task; of a deleted one only the id is left."""
    gone = row.worker_uuid is None or row.worker_deleted_at is not None
    return tasks.TaskWorker(
        id=row.worker_uuid or "",
        name="" if gone else row.worker_name,
        address="" if gone else row.worker_address,
    )


def task_summary(row: Any) -> tasks.TaskSummary:
    """Show a task in a list."""
    return tasks.TaskSummary(**_summary(row))


def _summary(row: Any) -> dict[str, Any]:
    return {
        "id": row.uuid,
        "name": row.name,
        "status": TaskStatus(row.status),
        "index_in_job": row.index_in_job,
        "priority": row.priority,
        "task_type": row.type,
        "updated": rfc3339(row.updated_at),
        "steps_completed": row.steps_completed,
        "steps_total": row.steps_total,
        "worker": task_worker(row),
    }


def task_view(row: Any, failed_by: list[Any]) -> tasks.Task:
    """Show all of a task."""
    return tasks.Task(
        **_summary(row),
        created=rfc3339(row.created_at),
        job_id=row.job_uuid,
        activity=row.activity,
        commands=[Command(**command) for command in json.loads(row.commands)],
        failed_by_workers=[
            tasks.TaskWorker(id=w.uuid, name=w.name, address=w.address) for w in failed_by
        ],
        last_touched=_time(row.touched_at),
    )


def worker_summary(
    row: Any, liveness: Liveness, tags: Iterable[Any] = (), known: Newcomer = STRANGER
) -> worker_mgt.WorkerSummary:
    """Show a worker in a list; *liveness* is what only this Manager knows so far."""
    return worker_mgt.WorkerSummary(**_worker(row, liveness, tags, known))


def _worker(row: Any, liveness: Liveness, tags: Iterable[Any], known: Newcomer) -> dict[str, Any]:
    change, seen = None, liveness.last_seen(row.uuid)
    if row.status_requested:
        requested = WorkerStatus(row.status_requested)
        change = worker_mgt.WorkerStatusChangeRequest(requested, bool(row.is_lazy))
    return {
        "id": row.uuid,
        "name": row.name,
        "status": WorkerStatus(row.status),
        "version": row.software,
        "can_restart": bool(row.can_restart),
        "status_change": change,
        "last_seen": _time(max(seen or 0, row.seen_at or 0) or None),
        "tags": [tag_view(tag) for tag in tags] or None,
        "pending_approval": known.is_pending or None,
        "may_be_again": list(known.was) or None,
        "is_late": row.status not in AWAY and liveness.is_late(row.uuid, row.seen_at),
    }


def worker_view(
    row: Any,
    liveness: Liveness,
    task: Any | None,
    tags: Iterable[Any],
    known: Newcomer = STRANGER,
) -> worker_mgt.Worker:
    """Show all of a worker."""
    return worker_mgt.Worker(
        **_worker(row, liveness, tags, known),
        ip_address=row.address,
        platform=row.platform,
        supported_task_types=json.loads(row.task_types),
        task=worker_mgt.WorkerTask(**_summary(task), job_id=task.job_uuid) if task else None,
    )


def tag_view(row: Any) -> worker_mgt.WorkerTag:
    """Show a tag."""
    return worker_mgt.WorkerTag(id=row.uuid, name=row.name, description=row.description or None)


def _time(microseconds: int | None) -> str | None:
    return None if microseconds is None else rfc3339(microseconds)
