"""Rows of workers, and what may run on them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Select, Text, bindparam, cast, exists, func, insert, or_, select, update

from flamenco_core.domain.events import WorkerFacts
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.workers import Request
from flamenco_core.errors import NotFound
from flamenco_core.manager.store.admission_tables import admissions
from flamenco_core.manager.store.blocks import blocked
from flamenco_core.manager.store.care_tables import worker_removals
from flamenco_core.manager.store.query import Query, Row, literal, one
from flamenco_core.manager.store.tables import (
    attempts,
    cursors,
    failures,
    tags,
    worker_tags,
    workers,
)
from flamenco_core.manager.store.transaction import Pool, Tx
from flamenco_core.manager.store.trial_tables import trials

__all__ = [
    "all_workers",
    "awake_count",
    "credentials",
    "find_worker",
    "insert_worker",
    "lock_worker",
    "others_able",
    "pools_of",
    "request_of",
    "save_seen",
    "set_status",
    "tags_of",
    "tags_of_all",
    "worker_by_id",
    "worker_by_uuid",
    "worker_facts",
]

_ALIVE = workers.c.deleted_at.is_(None)
_BY_UUID = Query(select(workers).where(workers.c.uuid == bindparam("uuid"), _ALIVE))
_HOLDS = exists().where(attempts.c.worker_id == workers.c.id, attempts.c.ended_at.is_(None))
_PASSED = exists().where(cursors.c.worker_id == workers.c.id)
_ON_TRIAL = exists().where(trials.c.worker_id == workers.c.id, trials.c.open == one)
_TAG_ID = cast(worker_tags.c.tag_id, Text)


def _with_work(joined: Any) -> Select[Any]:
    tag_ids = select(joined).where(worker_tags.c.worker_id == workers.c.id).scalar_subquery()
    return select(
        workers,
        tag_ids.label("tag_ids"),
        _HOLDS.label("holds"),
        _PASSED.label("passed"),
        _ON_TRIAL.label("on_trial"),
    ).where(workers.c.uuid == bindparam("uuid"), _ALIVE)


_BY_ID = Query(select(workers).where(workers.c.id == bindparam("id")))
_ALL = Query(select(workers).where(_ALIVE).order_by(workers.c.created_at, workers.c.id))
_WAS_REMOVED = exists().where(
    worker_removals.c.worker_id == workers.c.id, worker_removals.c.removed_at.is_not(None)
)
_CREDENTIALS = Query(
    select(
        workers.c.id,
        workers.c.name,
        workers.c.secret_hash,
        workers.c.deleted_at.is_not(None).label("is_removed"),
        admissions.c.is_pending,
        admissions.c.former_hash,
        admissions.c.former_until,
        admissions.c.must_rotate,
    )
    .join(admissions, admissions.c.worker_id == workers.c.id, isouter=True)
    .where(workers.c.uuid == bindparam("uuid"), or_(_ALIVE, _WAS_REMOVED))
)
_WAITS = exists().where(admissions.c.worker_id == workers.c.id, admissions.c.is_pending == one)


def worker_by_uuid(tx: Tx, uuid: str) -> Row:
    """Return a worker that was not deleted.

    Raises `NotFound`.
    """
    row = tx.one(_BY_UUID, uuid=uuid)
    if row is None:
        raise NotFound(f"there is no worker {uuid}")
    return row


_COMMA = literal(",")
_LOCK = {
    "sqlite": Query(_with_work(func.group_concat(_TAG_ID, _COMMA))),
    "postgresql": Query(
        _with_work(func.string_agg(_TAG_ID, _COMMA)).with_for_update(of=workers, key_share=True)
    ),
}


def lock_worker(tx: Tx, uuid: str) -> Row:
    """Return a worker that was not deleted, locked; what changes a worker begins with this.

    ``tag_ids`` are the ids of its tags as a text, ``holds`` says whether it has a task,
    ``passed`` whether it has cursors, ``on_trial`` whether it is to be tested.
    Raises `NotFound`.
    """
    row = find_worker(tx, uuid)
    if row is None:
        raise NotFound(f"there is no worker {uuid}")
    return row


def find_worker(tx: Tx, uuid: str) -> Row | None:
    """Return the same as `lock_worker`, `None` for a worker that is not there."""
    return tx.one(_LOCK[tx.dialect], uuid=uuid)


def worker_by_id(tx: Tx, id: int | None) -> Row | None:
    """Return a worker by its row id, deleted ones too."""
    return None if id is None else tx.one(_BY_ID, id=id)


def all_workers(tx: Tx) -> list[Row]:
    """Return all workers that were not deleted, oldest first."""
    return tx.all(_ALL)


def credentials(tx: Tx, uuid: str) -> Row | None:
    """Return id, name and secret hash of a worker that was not deleted by a person.

    ``is_removed`` says that it was because it was not heard of for long; the rest is of
    `admission_tables`, and empty where there is nothing of it.
    """
    return tx.one(_CREDENTIALS, uuid=uuid)


_INSERT = Query(
    insert(workers).values(
        {c.name: bindparam(c.name) for c in workers.c if c.name not in {"deleted_at", "seen_at"}}
    )
)


def insert_worker(tx: Tx, row: dict[str, Any]) -> None:
    """Insert a worker."""
    tx.run(_INSERT, **row)


_SET_STATUS = Query(
    update(workers)
    .where(workers.c.id == bindparam("worker"))
    .values(
        status=bindparam("status"),
        status_requested=bindparam("requested"),
        is_lazy=bindparam("is_lazy"),
        updated_at=bindparam("now"),
    )
)


def set_status(tx: Tx, worker: int, status: WorkerStatus, request: Request | None) -> None:
    """Store a worker's status and what is asked of it."""
    tx.run(
        _SET_STATUS,
        worker=worker,
        status=status,
        requested=request.status if request else "",
        is_lazy=int(request.is_lazy) if request else 0,
        now=tx.now,
    )


def request_of(row: Row) -> Request | None:
    """Return what is asked of a worker."""
    if not row.status_requested:
        return None
    return Request(WorkerStatus(row.status_requested), bool(row.is_lazy))


def worker_facts(row: Row, **changes: Any) -> WorkerFacts:
    """Return a worker's row as the facts of an event, with *changes*."""
    request = changes.pop("request", request_of(row))
    facts = {
        "id": row.uuid,
        "name": row.name,
        "status": WorkerStatus(row.status),
        "updated": row.updated_at,
        "version": row.software,
        "can_restart": bool(row.can_restart),
        "last_seen": row.seen_at,
    }
    return WorkerFacts(
        **{**facts, **changes},
        status_requested=request.status if request else None,
        is_lazy=request.is_lazy if request else False,
    )


_TAGS = Query(
    select(tags)
    .join(worker_tags, worker_tags.c.tag_id == tags.c.id)
    .where(worker_tags.c.worker_id == bindparam("worker"))
    .order_by(tags.c.name)
)


def tags_of(tx: Tx, worker: int) -> list[Row]:
    """Return a worker's tags, by name."""
    return tx.all(_TAGS, worker=worker)


_TAGS_OF_ALL = Query(
    select(worker_tags.c.worker_id, tags)
    .join(tags, worker_tags.c.tag_id == tags.c.id)
    .order_by(worker_tags.c.worker_id, tags.c.name)
)


def tags_of_all(tx: Tx) -> dict[int, list[Row]]:
    """Return the tags of all workers that have some, by the workers' row ids and by name."""
    by_worker = groupby(tx.all(_TAGS_OF_ALL), key=attrgetter("worker_id"))
    return {worker: list(found) for worker, found in by_worker}


def pools_of(row: Row) -> list[Pool]:
    """Return the pools a locked worker works for: each of its tags, and none, with each type."""
    tag_ids = [0, *(map(int, row.tag_ids.split(",")) if row.tag_ids else ())]
    return [(tag, task_type) for task_type in json.loads(row.task_types) for tag in tag_ids]


_AWAKE = Query(
    select(func.count()).select_from(workers).where(workers.c.status == literal("awake"), _ALIVE)
)


def awake_count(tx: Tx) -> int:
    """Return how many workers are awake."""
    return int(tx.value(_AWAKE))


_OTHERS = Query(
    select(workers.c.id, workers.c.task_types)
    .where(
        _ALIVE,
        ~_WAITS,
        ~exists().where(
            failures.c.task_id == bindparam("task"), failures.c.worker_id == workers.c.id
        ),
        ~blocked(bindparam("job"), workers.c.id, bindparam("task_type")),
    )
    .order_by(workers.c.id)
)
_HAS_TAG = Query(select(worker_tags.c.worker_id).where(worker_tags.c.tag_id == bindparam("tag")))


def others_able(tx: Tx, *, task: int, job: int, task_type: str, tag: int) -> list[int]:
    """Return the workers that may still try a task.

    Those of the right type and tag that neither failed it nor are blocked.
    """
    rows = tx.all(_OTHERS, task=task, job=job, task_type=task_type)
    able = [row.id for row in rows if task_type in json.loads(row.task_types)]
    if not tag:
        return able
    members = {row.worker_id for row in tx.all(_HAS_TAG, tag=tag)}
    return [worker for worker in able if worker in members]


_SAVE_SEEN = Query(
    update(workers).where(workers.c.uuid == bindparam("worker")).values(seen_at=bindparam("seen"))
)


def save_seen(tx: Tx, seen: Iterable[tuple[str, int]]) -> None:
    """Store when workers were last heard of."""
    # In one order: two Managers that store this at the same time wait, and do not deadlock.
    tx.many(_SAVE_SEEN, [{"worker": worker, "seen": at} for worker, at in sorted(seen)])
