"""Rows of tasks, their runs and their failures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, func, insert, select, update

from flamenco_core.domain.events import TaskFacts
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.errors import NotFound
from flamenco_core.manager.store.query import Query, Row, literal
from flamenco_core.manager.store.tables import (
    attempts,
    dependencies,
    failures,
    jobs,
    lanes,
    notes,
    tasks,
    workers,
)
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "FOR_WORKERS",
    "NEW_TASK",
    "add_failure",
    "add_note",
    "assign",
    "clear_failures",
    "end_attempt",
    "failed_of_type",
    "held_by",
    "insert_tasks",
    "lost_on",
    "reported_task",
    "save_report",
    "task_by_uuid",
    "task_facts",
    "tasks_of_job",
    "workers_failed",
]

_WITH_WORKER = (
    select(
        tasks,
        jobs.c.uuid.label("job_uuid"),
        workers.c.uuid.label("worker_uuid"),
        workers.c.name.label("worker_name"),
        workers.c.address.label("worker_address"),
        workers.c.deleted_at.label("worker_deleted_at"),
    )
    .join(jobs, jobs.c.id == tasks.c.job_id)
    .join(workers, workers.c.id == tasks.c.worker_id, isouter=True)
)
_BY_UUID = Query(_WITH_WORKER.where(tasks.c.uuid == bindparam("uuid")))
_OF_JOB = Query(_WITH_WORKER.where(jobs.c.uuid == bindparam("job")).order_by(tasks.c.index_in_job))


def task_by_uuid(tx: Tx, uuid: str) -> Row:
    """Return a task with its job's UUID and its worker.

    Raises `NotFound`.
    """
    row = tx.one(_BY_UUID, uuid=uuid)
    if row is None:
        raise NotFound(f"there is no task {uuid}")
    return row


def tasks_of_job(tx: Tx, job: str) -> list[Row]:
    """Return all tasks of the job with this UUID, in its order."""
    return tx.all(_OF_JOB, job=job)


def task_facts(row: Row, **changes: Any) -> TaskFacts:
    """Return a task's row as the facts of an event, with *changes*."""
    facts = {
        "id": row.uuid,
        "job_id": row.job_uuid,
        "name": row.name,
        "status": TaskStatus(row.status),
        "activity": row.activity,
        "updated": getattr(row, "updated_at", 0),
        "steps_completed": row.steps_completed,
        "steps_total": row.steps_total,
        "worker_id": getattr(row, "worker_uuid", None) or "",
        "worker_name": getattr(row, "worker_name", None) or "",
    }
    return TaskFacts(**{**facts, **changes})


# -- inserting -----------------------------------------------------------------------

NEW_TASK = (
    *("id", "uuid", "job_id", "lane_id", "index_in_job", "name", "type", "priority", "status"),
    *("unfinished_parents", "has_children", "commands", "steps_total", "created_at", "updated_at"),
)


def insert_tasks(
    tx: Tx, rows: Sequence[tuple[Any, ...]], parents: Sequence[tuple[int, int]]
) -> None:
    """Insert tasks, with the values of `NEW_TASK`, and their dependencies (task, parent)."""
    tx.fill(tasks, rows, *NEW_TASK)
    if parents:
        tx.fill(dependencies, parents, "task_id", "parent_id")


# -- runs ------------------------------------------------------------------------------

FOR_WORKERS = (
    tasks.c.id,
    tasks.c.uuid,
    tasks.c.name,
    tasks.c.type,
    tasks.c.priority,
    tasks.c.status,
    tasks.c.epoch,
    tasks.c.commands,
    tasks.c.steps_completed,
    tasks.c.steps_total,
    tasks.c.activity,
    tasks.c.job_id,
    jobs.c.uuid.label("job_uuid"),
    jobs.c.name.label("job_name"),
    jobs.c.type.label("job_type"),
    jobs.c.priority.label("job_priority"),
)
"""What a worker is told of a task and its job."""

_HELD = Query(
    select(
        *FOR_WORKERS,
        attempts.c.epoch.label("attempt_epoch"),
        attempts.c.slot,
        tasks.c.seq,
    )
    .join(tasks, tasks.c.id == attempts.c.task_id)
    .join(jobs, jobs.c.id == tasks.c.job_id)
    .where(attempts.c.worker_id == bindparam("worker"), attempts.c.ended_at.is_(None))
    .order_by(attempts.c.slot)
)


def held_by(tx: Tx, worker: int) -> list[Row]:
    """Return the tasks whose runs by this worker have not ended."""
    return tx.all(_HELD, worker=worker)


_ASSIGN = Query(
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(
        status=literal("active"),
        epoch=bindparam("epoch"),
        seq=0,
        worker_id=bindparam("worker"),
        touched_at=bindparam("now"),
        updated_at=bindparam("now"),
    )
)
_BEGIN = Query(
    insert(attempts).values(
        task_id=bindparam("task"),
        epoch=bindparam("epoch"),
        worker_id=bindparam("worker"),
        slot=bindparam("slot"),
        started_at=bindparam("now"),
    )
)


def assign(tx: Tx, task: int, *, epoch: int, worker: int, slot: int) -> None:
    """Begin a run of a task: it is active, and the worker holds it under this epoch."""
    tx.run(_ASSIGN, task=task, epoch=epoch, worker=worker, now=tx.now)
    tx.run(_BEGIN, task=task, epoch=epoch, worker=worker, slot=slot, now=tx.now)


_END = Query(
    update(attempts)
    .where(attempts.c.task_id == bindparam("task"), attempts.c.epoch == bindparam("epoch"))
    .values(ended_at=bindparam("now"), outcome=bindparam("outcome"))
)


def end_attempt(tx: Tx, task: int, epoch: int, outcome: str) -> None:
    """End a run; a later outcome of the same run takes the place of an earlier one."""
    tx.run(_END, task=task, epoch=epoch, outcome=outcome, now=tx.now)


_JOB_OF = select(jobs.c.id).where(
    jobs.c.id == select(tasks.c.job_id).where(tasks.c.uuid == bindparam("task")).scalar_subquery()
)
_LOCK_JOB_OF = {
    False: Query(_JOB_OF.with_for_update(read=True, key_share=True)),
    True: Query(_JOB_OF.with_for_update()),
}
_REPORTED = (
    select(
        tasks,
        jobs.c.uuid.label("job_uuid"),
        jobs.c.wanted.label("job_wanted"),
        jobs.c.delete_requested_at.label("job_delete_requested_at"),
        workers.c.uuid.label("worker_uuid"),
        workers.c.name.label("worker_name"),
        attempts.c.worker_id.label("attempt_worker"),
        attempts.c.outcome,
    )
    .join(jobs, jobs.c.id == tasks.c.job_id)
    .join(
        attempts,
        and_(attempts.c.task_id == tasks.c.id, attempts.c.epoch == tasks.c.epoch),
        isouter=True,
    )
    .join(workers, workers.c.id == attempts.c.worker_id, isouter=True)
    .where(tasks.c.uuid == bindparam("task"))
)
_REPORTED_TASK = {
    False: Query(_REPORTED),
    True: Query(_REPORTED.with_for_update(of=tasks, key_share=True)),
}


def reported_task(tx: Tx, uuid: str, *, whole_job: bool = False) -> Row:
    """Return a task with its present run, locked; the key of its job is locked first.

    Many hold a job's key at the same time, each to change a task. With *whole_job* all its
    tasks are locked, as whoever changes several of them must have it: two that lock tasks
    one by one would wait for each other. Raises `NotFound`.
    """
    if tx.shared:
        tx.one(_LOCK_JOB_OF[whole_job], task=uuid)
    row = tx.one(_REPORTED_TASK[tx.shared], task=uuid)
    if row is None:
        raise NotFound(f"there is no task {uuid}")
    return row


_SAVE_REPORT = Query(
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(
        status=bindparam("status"),
        seq=bindparam("seq"),
        activity=bindparam("activity"),
        steps_completed=bindparam("steps"),
        touched_at=bindparam("now"),
        updated_at=bindparam("now"),
    )
)


def save_report(tx: Tx, task: int, *, status: str, seq: int, activity: str, steps: int) -> None:
    """Store what a message changed of a task."""
    tx.run(
        _SAVE_REPORT, task=task, status=status, seq=seq, activity=activity, steps=steps, now=tx.now
    )


# -- failures ----------------------------------------------------------------------------

_ADD_FAILURE = Query(
    insert(failures).from_select(
        ["task_id", "worker_id", "created_at"],
        select(
            bindparam("task", type_=failures.c.task_id.type),
            bindparam("worker", type_=failures.c.worker_id.type),
            bindparam("now", type_=failures.c.created_at.type),
        ).where(
            ~exists().where(
                failures.c.task_id == bindparam("task"),
                failures.c.worker_id == bindparam("worker"),
            )
        ),
    )
)
_WORKERS_FAILED = Query(
    select(func.count()).select_from(failures).where(failures.c.task_id == bindparam("task"))
)
_FAILED_OF_TYPE = Query(
    select(func.count())
    .select_from(failures)
    .join(tasks, tasks.c.id == failures.c.task_id)
    .join(lanes, lanes.c.id == tasks.c.lane_id)
    .where(
        failures.c.worker_id == bindparam("worker"),
        tasks.c.job_id == bindparam("job"),
        lanes.c.task_type == bindparam("task_type"),
    )
)
_CLEAR_TASK = Query(delete(failures).where(failures.c.task_id == bindparam("task")))


def add_failure(tx: Tx, task: int, worker: int) -> None:
    """Remember that a worker failed a task; twice is as good as once."""
    tx.run(_ADD_FAILURE, task=task, worker=worker, now=tx.now)


def workers_failed(tx: Tx, task: int) -> int:
    """Return how many workers failed a task."""
    return int(tx.value(_WORKERS_FAILED, task=task))


def failed_of_type(tx: Tx, *, worker: int, job: int, task_type: str) -> int:
    """Return how many tasks of a type (in lower case) in a job a worker failed."""
    return int(tx.value(_FAILED_OF_TYPE, worker=worker, job=job, task_type=task_type))


def clear_failures(tx: Tx, task: int) -> None:
    """Forget which workers failed a task."""
    tx.run(_CLEAR_TASK, task=task)


_LOST_ON = Query(
    select(attempts.c.worker_id)
    .where(attempts.c.task_id == bindparam("task"), attempts.c.outcome == literal("lost"))
    .order_by(attempts.c.epoch.desc())
    .limit(bindparam("times"))
)


def lost_on(tx: Tx, task: int, times: int) -> int:
    """Return on how many different workers a task was lost, the last *times* that it was."""
    return len({row.worker_id for row in tx.all(_LOST_ON, task=task, times=times)})


_NOTE = Query(
    insert(notes).values(
        task_id=bindparam("task"),
        epoch=bindparam("epoch"),
        at=bindparam("now"),
        text=bindparam("text"),
    )
)


def add_note(tx: Tx, task: int, epoch: int, text: str) -> None:
    """Add a line of the Manager's to a task's log."""
    tx.run(_NOTE, task=task, epoch=epoch, text=text, now=tx.now)


_FAILED_BY = Query(
    select(workers.c.uuid, workers.c.name, workers.c.address)
    .join(failures, failures.c.worker_id == workers.c.id)
    .where(failures.c.task_id == bindparam("task"))
    .order_by(failures.c.created_at, workers.c.id)
)
_LAST_OF_WORKER = Query(
    _WITH_WORKER.join(attempts, attempts.c.task_id == tasks.c.id)
    .where(attempts.c.worker_id == bindparam("worker"))
    .order_by(attempts.c.ended_at.is_(None).desc(), attempts.c.started_at.desc())
    .limit(1)
)


def failed_by(tx: Tx, task: int) -> list[Row]:
    """Return the workers that failed a task, in order."""
    return tx.all(_FAILED_BY, task=task)


def last_of_worker(tx: Tx, worker: int) -> Row | None:
    """Return the task that a worker is at work on, or was last."""
    return tx.one(_LAST_OF_WORKER, worker=worker)
