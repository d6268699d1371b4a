"""Move what is known of one worker to another one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, and_, bindparam, exists, select, update

from flamenco_core.manager.store.care_tables import sleep_schedules
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import attempts, blocks, failures, tasks, worker_tags
from flamenco_core.manager.store.transaction import Tx

__all__ = ["move_all"]

_OLD: Any = bindparam("old")
_NEW: Any = bindparam("new")


def _moved(table: Table, *own: str) -> Query:
    """Change the worker of rows; not of those that the new one has too, by *own* columns."""
    other = table.alias()
    same = (other.c[name] == table.c[name] for name in own)
    has_it = exists().where(and_(other.c.worker_id == _NEW, *same))
    return Query(update(table).where(table.c.worker_id == _OLD, ~has_it).values(worker_id=_NEW))


_QUERIES = (
    _moved(worker_tags, "tag_id"),
    _moved(failures, "task_id"),
    _moved(blocks, "job_id", "task_type"),
    # With nothing that tells two apart: a worker has one schedule, and keeps its own.
    _moved(sleep_schedules),
    # By its runs: nothing else leads from a worker to its tasks without reading them all.
    Query(
        update(tasks)
        .where(
            tasks.c.id.in_(select(attempts.c.task_id).where(attempts.c.worker_id == _OLD)),
            tasks.c.worker_id == _OLD,
        )
        .values(worker_id=_NEW)
    ),
    Query(update(attempts).where(attempts.c.worker_id == _OLD).values(worker_id=_NEW)),
)


def move_all(tx: Tx, old: int, new: int) -> None:
    """Give a worker the tags, schedule, blocklists and history of another one.

    Both must be locked, and the old one must hold no task.
    """
    for query in _QUERIES:
        tx.run(query, old=old, new=new)
