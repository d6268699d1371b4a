"""Say why one task is not at work, or what has become of it."""

from __future__ import annotations

import attrs
from sqlalchemy import bindparam, select

from flamenco_core.config import Duration
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.domain.why import names_of
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import tasks as task_rows
from flamenco_core.manager.store.query import Query, Row, literal
from flamenco_core.manager.store.tables import dependencies, failures, tasks
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.why import SHOWN, explainer

__all__ = ["TaskReason", "why_task"]

_PARENTS = Query(
    select(tasks.c.uuid, tasks.c.name, tasks.c.status)
    .join(dependencies, dependencies.c.parent_id == tasks.c.id)
    .where(
        dependencies.c.task_id == bindparam("task"),
        tasks.c.status != literal("completed"),
    )
    .order_by(tasks.c.id)
    .limit(SHOWN)
)
_FAILED_BY = Query(select(failures.c.worker_id).where(failures.c.task_id == bindparam("task")))


@attrs.frozen(kw_only=True)
class TaskReason:
    """Why a task is not at work, and the first of the tasks that it waits for."""

    task: Row
    words: str
    waits_for: list[Row]


def why_task(tx: Tx, task_id: str, rules: Rules) -> TaskReason:
    """Return why the task with this UUID is not at work; raises `NotFound`."""
    task = task_rows.task_by_uuid(tx, task_id)
    parents = tx.all(_PARENTS, task=task.id) if task.unfinished_parents else []
    return TaskReason(task=task, words=_words(tx, task, parents, rules), waits_for=parents)


def _words(tx: Tx, task: Row, parents: list[Row], rules: Rules) -> str:
    activity = f": {task.activity}" if task.activity else ""
    match TaskStatus(task.status):
        case TaskStatus.ACTIVE:
            at_work = f"it is at work on {task.worker_name or 'a worker'}{activity}"
            return f"{at_work}{_limit(task, rules)}"
        case TaskStatus.COMPLETED:
            return "it is completed"
        case TaskStatus.CANCELED:
            return f"it was canceled{activity}; queue it again to run it"
        case TaskStatus.FAILED:
            by = names_of(row.name for row in task_rows.failed_by(tx, task.id))
            return f"it failed{by and f' on {by}'}{activity}; queue it again to try once more"
    job = job_rows.job_by_uuid(tx, task.job_uuid)
    failed_by = [row.worker_id for row in tx.all(_FAILED_BY, task=task.id)]
    words = explainer(tx, job)(task, failed_by)
    if parents and words.startswith("waits for tasks"):
        return f"{words}: {names_of(f'{parent.name} ({parent.status})' for parent in parents)}"
    return words


def _limit(task: Row, rules: Rules) -> str:
    limit = rules.longest_runs.get(task.type.lower())
    if not limit:
        return ""
    return f"; a run may take {Duration.of(limit)} (task_timeouts), then others try"
