"""Rows of how workers got in, and which wait for a person to let them."""

from __future__ import annotations

from typing import Any

import attrs
from sqlalchemy import bindparam, delete, exists, func, insert, select, update

from flamenco_core.manager.store.admission_tables import admissions
from flamenco_core.manager.store.query import Query, one
from flamenco_core.manager.store.tables import workers
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "Admitted",
    "admission_of",
    "all_admissions",
    "is_pending",
    "pending_count",
    "save_admission",
    "set_secret",
    "worker_of_machine",
]


@attrs.frozen(kw_only=True)
class Admitted:
    """What is known of how a worker got in; times are microseconds, UTC."""

    worker_id: int
    machine: str = ""
    is_pending: bool = False
    former_hash: str = ""
    former_until: int = 0
    must_rotate: bool = False


_ALIVE = workers.c.deleted_at.is_(None)
_OF = Query(select(admissions).where(admissions.c.worker_id == bindparam("worker")))
_ALL = Query(select(admissions).join(workers, workers.c.id == admissions.c.worker_id).where(_ALIVE))
_REMOVE = Query(delete(admissions).where(admissions.c.worker_id == bindparam("worker")))
_ADD = Query(insert(admissions).values({c.name: bindparam(c.name) for c in admissions.c}))


def admission_of(tx: Tx, worker: int) -> Admitted:
    """Return what is known of a worker."""
    row = tx.one(_OF, worker=worker)
    return _admitted(row) if row else Admitted(worker_id=worker)


def all_admissions(tx: Tx) -> dict[int, Admitted]:
    """Return what is known of the workers that were not deleted, by row id."""
    return {row.worker_id: _admitted(row) for row in tx.all(_ALL)}


def _admitted(row: Any) -> Admitted:
    fields = row._asdict()
    return Admitted(
        **{
            **fields,
            "is_pending": bool(row.is_pending),
            "must_rotate": bool(row.must_rotate),
        }
    )


def save_admission(tx: Tx, admitted: Admitted) -> None:
    """Store what is known of a worker; the worker must be locked, or new."""
    tx.run(_REMOVE, worker=admitted.worker_id)
    values: dict[str, Any] = attrs.asdict(admitted)
    values.update(is_pending=int(admitted.is_pending), must_rotate=int(admitted.must_rotate))
    tx.run(_ADD, **values)


_IS_PENDING = Query(
    select(one).where(
        exists().where(
            admissions.c.worker_id == bindparam("worker"), admissions.c.is_pending == one
        )
    )
)
_PENDING = Query(
    select(func.count())
    .select_from(admissions)
    .join(workers, workers.c.id == admissions.c.worker_id)
    .where(_ALIVE, admissions.c.is_pending == one)
)


def is_pending(tx: Tx, worker: int) -> bool:
    """Say whether a worker waits for approval."""
    return tx.value(_IS_PENDING, worker=worker) is not None


def pending_count(tx: Tx) -> int:
    """Return how many workers wait for approval."""
    return int(tx.value(_PENDING))


_OF_MACHINE = Query(
    select(workers.c.uuid)
    .join(admissions, admissions.c.worker_id == workers.c.id)
    .where(
        _ALIVE,
        admissions.c.machine == bindparam("machine"),
        workers.c.secret_hash == bindparam("secret"),
    )
)


def worker_of_machine(tx: Tx, machine: str, secret_hash: str) -> str | None:
    """Return the UUID of the worker that registered from a machine with a secret."""
    found: str | None = tx.value(_OF_MACHINE, machine=machine, secret=secret_hash)
    return found


_SET_SECRET = Query(
    update(workers)
    .where(workers.c.id == bindparam("worker"))
    .values(secret_hash=bindparam("new_hash"))
)


def set_secret(tx: Tx, worker: int, secret_hash: str) -> None:
    """Give a worker another secret."""
    tx.run(_SET_SECRET, worker=worker, new_hash=secret_hash)
