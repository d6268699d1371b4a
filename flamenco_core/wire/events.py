"""Events as live clients get them: a name, and a body as in Flamenco's event schemas."""

from __future__ import annotations

from typing import Any

import attrs

from flamenco_core.clock import rfc3339
from flamenco_core.domain import events
from flamenco_core.domain.events import ImageFacts, JobFacts, TaskFacts, WorkerFacts
from flamenco_core.wire.images import job_image_info

__all__ = ["event_body", "event_name", "subject_of"]

_ZERO_TIME = "0001-01-01T00:00:00Z"


def event_name(event: events.Event) -> str:
    """Return the topic of an event, such as job, task, log, worker, tag or lifecycle."""
    if isinstance(event, events.TaskLogged):
        return "log"
    if isinstance(event, events.LastRenderedChanged):
        return "last-rendered"
    for kind, name in (
        (events.JobEvent, "job"),
        (events.TaskEvent, "task"),
        (events.WorkerEvent, "worker"),
        (events.TagEvent, "tag"),
        (events.JobTypesChanged, "jobtype"),
        (events.SettingsChanged, "settings"),
    ):
        if isinstance(event, kind):
            return name
    return "lifecycle"


def subject_of(event: events.Event) -> tuple[str, str]:
    """Return the ids of the job and the task an event is about, empty if of none."""
    match event:
        case events.JobDeleted():
            return event.job_id, ""
        case (
            events.JobSubmitted()
            | events.JobStatusChanged()
            | events.JobUpdated()
            | events.JobBlocklistChanged()
            | events.JobTasksImpossible()
        ):
            return event.job.id, ""
        case events.TaskLogged():
            return event.job_id, event.task_id
        case events.LastRenderedChanged():
            return event.image.job_id, event.image.task_id
        case events.TaskStatusChanged() | events.TaskProgressed():
            return event.task.job_id, event.task.id
    return "", ""


def event_body(event: events.Event) -> dict[str, Any]:
    """Return an event's body, without keys that have no value."""
    return {key: value for key, value in _body(event).items() if value is not None}


def _body(event: events.Event) -> dict[str, Any]:
    match event:
        case events.JobEvent():
            return _of_job(event)
        case events.TaskStatusChanged():
            return _task(event.task) | {"previous_status": event.previous_status}
        case events.TaskProgressed():
            return _task(event.task)
        case events.TaskLogged():
            return {"task_id": event.task_id, "log": event.text}
        case events.WorkerEvent():
            return _worker_body(event)
        case events.TagChanged() | events.TagDeleted():
            return _tag_event(event)
        case events.JobTypesChanged():
            return _job_types(event)
        case events.SettingsChanged():
            return _settings(event)
    return _lifecycle(event)


def _worker_body(event: events.WorkerEvent) -> dict[str, Any]:
    match event:
        case events.WorkerStatusChanged():
            return _worker(event.worker) | {"previous_status": event.previous_status}
        case events.WorkerDeleted():
            return _worker(event.worker) | {"deleted_at": rfc3339(event.worker.updated)}
        case events.WorkerRemovalAnnounced():
            return _worker(event.worker) | {"removal_at": rfc3339(event.removal_at)}
        case events.WorkerTested():
            test = {"id": event.test_id, "status": event.status}
            return _worker(event.worker) | {"test": test}
        case events.WorkerRegistered() | events.WorkerUpdated() | events.WorkerSecretChanged():
            return _worker(event.worker)
    raise AssertionError(f"{event} has no body")


def _of_job(event: events.JobEvent) -> dict[str, Any]:
    match event:
        case events.JobStatusChanged():
            extra = {
                "previous_status": event.previous_status,
                "refresh_tasks": event.refresh_tasks,
            }
            return _job(event.job) | extra
        case events.JobSubmitted() | events.JobUpdated():
            return _job(event.job)
        case events.JobTasksImpossible():
            return _job(event.job) | {"impossible": list(map(_impossible, event.tasks))}
        case events.JobBlocklistChanged():
            return _job(event.job) | {"blocklist": _blocklist(event)}
        case events.LastRenderedChanged():
            return _image(event.image)
        case events.JobDeleted():
            return _deleted_job(event.job_id)
    raise TypeError(f"{type(event).__name__} has no body yet; write it here")


def _lifecycle(event: events.Event) -> dict[str, Any]:
    if isinstance(event, events.DatabaseTrouble):
        return {"type": "database-trouble", "message": event.message}
    is_start = isinstance(event, events.ManagerStarted)
    return {"type": "manager-startup" if is_start else "manager-shutdown"}


def _job(job: JobFacts) -> dict[str, Any]:
    deleted = job.delete_requested_at
    return {
        "id": job.id,
        "name": job.name,
        "updated": rfc3339(job.updated),
        "status": job.status,
        "type": job.type,
        "priority": job.priority,
        "refresh_tasks": False,
        "steps_completed": job.steps_completed,
        "steps_total": job.steps_total,
        "delete_requested_at": None if deleted is None else rfc3339(deleted),
    }


def _blocklist(event: events.JobBlocklistChanged) -> dict[str, Any]:
    changes = {"added": list(map(_block, event.added)), "removed": list(map(_block, event.removed))}
    return changes | ({"reason": event.reason} if event.reason else {})


def _impossible(tasks: events.ImpossibleFacts) -> dict[str, Any]:
    return {
        "task_type": tasks.task_type,
        "tasks_count": tasks.count,
        "reason": tasks.reason,
        "done": tasks.done,
    }


def _block(block: events.BlockFacts) -> dict[str, Any]:
    until = {} if block.expires_at is None else {"expires_at": rfc3339(block.expires_at)}
    return {
        "worker_id": block.worker_id,
        "worker_name": block.worker_name,
        "task_type": block.task_type,
        "reason": block.reason,
        **until,
    }


def _deleted_job(job_id: str) -> dict[str, Any]:
    return {
        "id": job_id,
        "updated": _ZERO_TIME,
        "status": "",
        "type": "",
        "priority": 0,
        "refresh_tasks": False,
        "steps_completed": 0,
        "steps_total": 0,
        "was_deleted": True,
    }


def _task(task: TaskFacts) -> dict[str, Any]:
    worker = {"name": task.worker_name, "uuid": task.worker_id} if task.worker_id else None
    return {
        "id": task.id,
        "job_id": task.job_id,
        "worker": worker,
        "name": task.name,
        "updated": rfc3339(task.updated),
        "status": task.status,
        "activity": task.activity,
        "steps_completed": task.steps_completed,
        "steps_total": task.steps_total,
    }


def _tag_event(event: events.TagChanged | events.TagDeleted) -> dict[str, Any]:
    if isinstance(event, events.TagDeleted):
        return {"tag": {"id": event.tag_id, "name": ""}, "was_deleted": True}
    return {"tag": _tag(event.tag)}


def _tag(tag: events.TagFacts) -> dict[str, Any]:
    described = {"description": tag.description} if tag.description else {}
    return {"id": tag.id, "name": tag.name, **described}


def _job_types(event: events.JobTypesChanged) -> dict[str, Any]:
    return {
        "added": list(event.added),
        "changed": list(event.changed),
        "removed": list(event.removed),
        "problems": [{"name": name, "message": message} for name, message in event.problems],
    }


def _settings(event: events.SettingsChanged) -> dict[str, Any]:
    return {
        "keys": list(event.keys),
        "source": event.source,
        "who": event.who or None,
        "restart_needed": list(event.restart_needed),
    }


def _worker(worker: WorkerFacts) -> dict[str, Any]:
    change = None
    if worker.status_requested is not None:
        change = {"status": worker.status_requested, "is_lazy": worker.is_lazy}
    return {
        "id": worker.id,
        "name": worker.name,
        "updated": rfc3339(worker.updated),
        "last_seen": None if worker.last_seen is None else rfc3339(worker.last_seen),
        "status": worker.status,
        "status_change": change,
        "version": worker.version,
        "can_restart": worker.can_restart,
    }


def _image(image: ImageFacts) -> dict[str, Any]:
    thumbnail = attrs.asdict(job_image_info(image), filter=lambda _, value: value is not None)
    return {"job_id": image.job_id, "thumbnail": thumbnail}
