"""Say how a task's log is put together."""

from __future__ import annotations

import attrs
from sqlalchemy import bindparam, select

from flamenco_core.clock import rfc3339
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import attempts, notes, workers
from flamenco_core.manager.store.transaction import Tx

__all__ = ["LogPlan", "RunOfLog", "plan_log"]

_RUNS = Query(
    select(
        attempts.c.epoch,
        attempts.c.started_at,
        attempts.c.ended_at,
        attempts.c.outcome,
        workers.c.name,
        workers.c.uuid,
    )
    .join(workers, workers.c.id == attempts.c.worker_id)
    .where(attempts.c.task_id == bindparam("task"))
    .order_by(attempts.c.epoch)
)
_NOTES = Query(
    select(notes.c.epoch, notes.c.text)
    .where(notes.c.task_id == bindparam("task"))
    .order_by(notes.c.id)
)


@attrs.frozen(kw_only=True)
class RunOfLog:
    """One run: the Manager's lines before and after what the worker logged."""

    epoch: int
    before: str
    after: str


@attrs.frozen(kw_only=True)
class LogPlan:
    """A task's log: its runs in order."""

    task_id: str
    job_id: str
    runs: tuple[RunOfLog, ...]


def plan_log(tx: Tx, task_id: str) -> LogPlan:
    """Return how the log of the task with this UUID is put together.

    Raises `NotFound`.
    """
    task = task_rows.task_by_uuid(tx, task_id)
    remarks: dict[int, list[str]] = {}
    for note in tx.all(_NOTES, task=task.id):
        remarks.setdefault(note.epoch, []).append(note.text)
    runs = {run.epoch: run for run in tx.all(_RUNS, task=task.id)}
    parts = [_part(epoch, runs.get(epoch), remarks.get(epoch)) for epoch in {*runs, *remarks}]
    parts.sort(key=lambda part: part.epoch)
    return LogPlan(task_id=task.uuid, job_id=task.job_uuid, runs=tuple(parts))


def _part(epoch: int, run: Row | None, remarks: list[str] | None) -> RunOfLog:
    # Between two runs people cancel and requeue: then there are remarks without a run.
    if run is None:
        return RunOfLog(epoch=epoch, before="", after=_lines(remarks or []))
    worker = f"{run.name} ({run.uuid})"
    before = f"{rfc3339(run.started_at)} Task assigned to worker {worker}"
    if run.outcome and not remarks:
        remarks = [f"{rfc3339(run.ended_at)} task changed status active -> {run.outcome}"]
    return RunOfLog(epoch=epoch, before=_lines([before]), after=_lines(remarks or []))


def _lines(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)
