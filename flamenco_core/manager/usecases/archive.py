"""Read what an archive of a job tells of its tasks, a page at a time."""

from __future__ import annotations

import json
from typing import Any

import attrs
from sqlalchemy import bindparam, select

from flamenco_core.clock import rfc3339
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import NEVER, attempts, blocks, dependencies, tasks, workers
from flamenco_core.manager.store.tables import failures as failed
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.read_log import LogPlan, TellCommands, plan_log

__all__ = ["TaskFacts", "blocks_of", "tasks_after"]

PAGE = 200
"""So many tasks are read at a time: there are few readers, and others want to read as well."""

_TASKS = Query(
    select(tasks)
    .where(tasks.c.job_id == bindparam("job"), tasks.c.index_in_job > bindparam("after"))
    .order_by(tasks.c.index_in_job)
    .limit(bindparam("most"))
)
_PARENTS = Query(
    select(tasks.c.uuid)
    .join(dependencies, dependencies.c.parent_id == tasks.c.id)
    .where(dependencies.c.task_id == bindparam("task"))
    .order_by(tasks.c.index_in_job)
)
_RUNS = Query(
    select(attempts, workers.c.uuid.label("worker"), workers.c.name.label("worker_name"))
    .join(workers, workers.c.id == attempts.c.worker_id, isouter=True)
    .where(attempts.c.task_id == bindparam("task"))
    .order_by(attempts.c.epoch)
)
_FAILURES = Query(
    select(failed.c.created_at, workers.c.uuid.label("worker"), workers.c.name.label("worker_name"))
    .join(workers, workers.c.id == failed.c.worker_id, isouter=True)
    .where(failed.c.task_id == bindparam("task"))
    .order_by(failed.c.created_at)
)
_BLOCKS = Query(
    select(blocks, workers.c.uuid.label("worker"), workers.c.name.label("worker_name"))
    .join(workers, workers.c.id == blocks.c.worker_id, isouter=True)
    .where(blocks.c.job_id == bindparam("job"))
    .order_by(blocks.c.created_at)
)


@attrs.frozen(kw_only=True)
class TaskFacts:
    """One task: its row, what is told of it, and how its log is put together."""

    row: Row
    task: dict[str, Any]
    runs: list[dict[str, Any]]
    failures: list[dict[str, Any]]
    log: LogPlan


def tasks_after(tx: Tx, job: int, after: int, tell: TellCommands | None = None) -> list[TaskFacts]:
    """Return the next tasks of a job behind the one with this index; none at the end.

    *tell* says the commands of a run in its log.
    """
    return [_facts(tx, row, tell) for row in tx.all(_TASKS, job=job, after=after, most=PAGE)]


def _facts(tx: Tx, row: Row, tell: TellCommands | None) -> TaskFacts:
    parents = [parent.uuid for parent in tx.all(_PARENTS, task=row.id)]
    return TaskFacts(
        row=row,
        task=_task(row, parents),
        runs=[_run(row, run) for run in tx.all(_RUNS, task=row.id)],
        failures=[_failure(row, found) for found in tx.all(_FAILURES, task=row.id)],
        log=plan_log(tx, row.uuid, tell),
    )


def _task(row: Row, parents: list[str]) -> dict[str, Any]:
    return {
        "id": row.uuid,
        "index": row.index_in_job,
        "name": row.name,
        "type": row.type,
        "priority": row.priority,
        "status": row.status,
        "activity": row.activity,
        "steps_completed": row.steps_completed,
        "steps_total": row.steps_total,
        "created": rfc3339(row.created_at),
        "updated": rfc3339(row.updated_at),
        "depends_on": parents,
        "commands": json.loads(row.commands),
    }


def _run(task: Row, run: Row) -> dict[str, Any]:
    return {
        "task": task.uuid,
        "epoch": run.epoch,
        **_worker(run),
        "started": rfc3339(run.started_at),
        "ended": None if run.ended_at is None else rfc3339(run.ended_at),
        "outcome": run.outcome,
    }


def _failure(task: Row, found: Row) -> dict[str, Any]:
    return {"task": task.uuid, **_worker(found), "at": rfc3339(found.created_at)}


def blocks_of(tx: Tx, job: int) -> list[dict[str, Any]]:
    """Return which workers get no more tasks of a type from a job, and why."""
    return [
        {
            "task_type": found.task_type,
            **_worker(found),
            "reason": found.reason,
            "at": rfc3339(found.created_at),
            **({} if found.expires_at == NEVER else {"until": rfc3339(found.expires_at)}),
        }
        for found in tx.all(_BLOCKS, job=job)
    ]


def _worker(row: Row) -> dict[str, Any]:
    return {"worker": row.worker, "worker_name": row.worker_name}
