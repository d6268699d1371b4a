"""Say how a task's log is put together."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from sqlalchemy import bindparam, select

from flamenco_core.clock import rfc3339
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import attempts, notes, workers
from flamenco_core.manager.store.transaction import Tx

__all__ = ["LogPlan", "RunOfLog", "TellCommands", "plan_log"]

_RUNS = Query(
    select(
        attempts.c.epoch,
        attempts.c.started_at,
        attempts.c.ended_at,
        attempts.c.outcome,
        workers.c.name,
        workers.c.uuid,
        workers.c.platform,
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


TellCommands = Callable[[str, str, int], list[str]]
"""Returns lines for commands (JSON), a platform, and the moment they were given."""


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


def plan_log(tx: Tx, task_id: str, tell: TellCommands | None = None) -> LogPlan:
    """Return how the log of the task with this UUID is put together.

    With *tell* the commands of each run are in it. Raises `NotFound`.
    """
    task = task_rows.task_by_uuid(tx, task_id)
    remarks: dict[int, list[str]] = {}
    for note in tx.all(_NOTES, task=task.id):
        remarks.setdefault(note.epoch, []).append(note.text)
    runs = {run.epoch: run for run in tx.all(_RUNS, task=task.id)}
    before = {
        run.epoch: _assignment(task, run, number, tell)
        for number, run in enumerate(runs.values(), start=1)
    }
    parts = [
        _part(epoch, before.get(epoch, []), runs.get(epoch), remarks.get(epoch))
        for epoch in sorted({*runs, *remarks})
    ]
    return LogPlan(task_id=task.uuid, job_id=task.job_uuid, runs=tuple(parts))


def _assignment(task: Row, run: Row, attempt: int, tell: TellCommands | None) -> list[str]:
    where = f"worker {run.name} ({run.uuid}), platform {run.platform or 'unknown'}"
    line = f"{rfc3339(run.started_at)} Task assigned to {where}, attempt {attempt}"
    if tell is None:
        return [line]
    return [line, *tell(task.commands, run.platform, run.started_at)]


def _part(epoch: int, before: list[str], run: Row | None, remarks: list[str] | None) -> RunOfLog:
    # Between two runs people cancel and requeue: then there are remarks without a run.
    if run is None:
        return RunOfLog(epoch=epoch, before="", after=_lines(remarks or []))
    if run.outcome and not remarks:
        remarks = [f"{rfc3339(run.ended_at)} task changed status active -> {run.outcome}"]
    return RunOfLog(epoch=epoch, before=_lines(before), after=_lines(remarks or []))


def _lines(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)
