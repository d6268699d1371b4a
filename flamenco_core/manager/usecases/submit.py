"""Store a compiled job."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import bindparam, select

from flamenco_core.clock import new_id
from flamenco_core.domain.events import JobSubmitted
from flamenco_core.domain.statuses import JobStatus, TaskStatus, Wanted
from flamenco_core.errors import BadRequest
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store.ids import next_ids
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import jobs
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.settle import settle
from flamenco_core.offers.job_type import AuthoredJob, AuthoredTask, Submission

__all__ = ["submit_job"]

Lanes = dict[tuple[str, int], int]

_KNOWN = Query(select(jobs.c.id).where(jobs.c.uuid == bindparam("uuid")))


def submit_job(
    tx: Tx,
    submission: Submission,
    job: AuthoredJob,
    rules: Rules,
    *,
    paused: bool = False,
    source_hash: str = "",
) -> str:
    """Store a job with its tasks, all or nothing; return its UUID.

    A UUID that is known already is the same submission sent again, and changes nothing.
    Raises `BadRequest` for an unknown worker tag.
    """
    if tx.one(_KNOWN, uuid=submission.job_id) is not None:
        return submission.job_id
    tag = _tag_id(tx, submission.worker_tag)
    job_id = next_ids(tx, "jobs")
    row = _job_row(tx, job_id, submission, job, tag)
    row["wanted"] = Wanted.PAUSE if paused else Wanted.RUN
    row["status"] = JobStatus.PAUSED if paused else JobStatus.QUEUED
    row["source_hash"] = source_hash
    job_rows.insert_job(tx, row)
    lanes = _insert_lanes(tx, job_id, job, tag)
    _insert_tasks(tx, job_id, job.tasks, lanes)
    state = job_rows.load_state(tx, job_id)
    if state.runs:
        lane_rows.reopen(tx, job_id)
    tx.emit(JobSubmitted(job_rows.job_facts(tx, state)))
    if not job.tasks:
        settle(tx, state, rules, "it has no tasks")
    return submission.job_id


def _tag_id(tx: Tx, uuid: str) -> int:
    if not uuid:
        return 0
    tag = tag_rows.tag_by_uuid(tx, uuid)
    if tag is None or not tag_rows.hold_tag(tx, tag.id):
        raise BadRequest(f"there is no worker tag {uuid}; refresh the list of tags and try again")
    return int(tag.id)


def _job_row(tx: Tx, id: int, submission: Submission, job: AuthoredJob, tag: int) -> dict[str, Any]:
    return {
        "id": id,
        "uuid": submission.job_id,
        "name": job.name,
        "type": submission.type,
        "priority": job.priority,
        "started": 0,
        "activity": "",
        "settings": json.dumps(dict(job.settings)),
        "metadata": json.dumps(dict(job.metadata)),
        "submitter_platform": submission.submitter_platform,
        "shaman_checkout_id": submission.shaman_checkout_id,
        "tag_id": tag,
        "steps_completed": 0,
        "steps_total": sum(task.steps_total for task in job.tasks),
        "tasks_total": len(job.tasks),
        **dict.fromkeys(("tasks_completed", "tasks_failed", "tasks_canceled", "tasks_paused"), 0),
        "created_at": submission.created,
        "updated_at": tx.now,
    }


def _insert_lanes(tx: Tx, job_id: int, job: AuthoredJob, tag: int) -> Lanes:
    keys = list(dict.fromkeys((task.type.lower(), task.priority) for task in job.tasks))
    if not keys:
        return {}
    first, turn = next_ids(tx, "lanes", len(keys)), lane_rows.last_turn(tx)
    rows = [
        {
            "id": first + place,
            "job_id": job_id,
            "task_type": task_type,
            "job_rank": -job.priority,
            "task_rank": -priority,
            "tag_id": tag,
            "turn": turn,
            "open": 0,
        }
        for place, (task_type, priority) in enumerate(keys)
    ]
    lane_rows.insert_lanes(tx, rows)
    return {key: first + place for place, key in enumerate(keys)}


def _insert_tasks(tx: Tx, job_id: int, tasks: tuple[AuthoredTask, ...], lanes: Lanes) -> None:
    if not tasks:
        return
    first = next_ids(tx, "tasks", len(tasks))
    with_children = {parent for task in tasks for parent in task.parents}
    rows = [
        (
            first + place,
            task.id or new_id(),
            job_id,
            lanes[task.type.lower(), task.priority],
            place + 1,
            task.name,
            task.type,
            task.priority,
            TaskStatus.QUEUED.value,
            len(set(task.parents)),
            int(place in with_children),
            _commands(task),
            task.steps_total,
            tx.now,
            tx.now,
        )
        for place, task in enumerate(tasks)
    ]
    parents = [
        (first + place, first + parent)
        for place, task in enumerate(tasks)
        for parent in sorted(set(task.parents))
    ]
    task_rows.insert_tasks(tx, rows, parents)


def _commands(task: AuthoredTask) -> str:
    commands = [
        {"name": c.name, "parameters": dict(c.parameters), "total_step_count": c.steps}
        for c in task.commands
    ]
    return json.dumps(commands)
