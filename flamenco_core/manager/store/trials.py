"""Rows of the tests of workers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from flamenco_core.manager.store.query import Query, Row, literal, one
from flamenco_core.manager.store.tables import workers
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.store.trial_tables import trials, worker_tests

__all__ = [
    "are_there_old",
    "close_test",
    "delete_tests",
    "find_trial",
    "insert_test",
    "insert_trial",
    "last_test",
    "next_open",
    "open_trials",
    "save_trial",
    "trials_of",
]

_INSERT_TEST = Query(
    insert(worker_tests)
    .values({name: bindparam(name) for name in ("uuid", "worker_id", "asked_by", "asked_at")})
    .returning(worker_tests.c.id)
)
_NEW = ("uuid", "test_id", "worker_id", "name", "task_type", "commands", "status", "open", "words")
_INSERT_TRIAL = Query(insert(trials).values({name: bindparam(name) for name in _NEW}))


def insert_test(tx: Tx, uuid: str, worker: int, asked_by: str) -> int:
    """Insert a test that begins now; return its row id."""
    values = {"uuid": uuid, "worker_id": worker, "asked_by": asked_by}
    return int(tx.value(_INSERT_TEST, asked_at=tx.now, **values))


def insert_trial(tx: Tx, **row: Any) -> None:
    """Insert a trial; the first come first."""
    tx.run(_INSERT_TRIAL, **row)


_TRIALS = select(
    trials,
    worker_tests.c.uuid.label("test_uuid"),
    worker_tests.c.asked_at,
    workers.c.uuid.label("worker_uuid"),
    # For those who look at it as if it were a task.
    literal("").label("outcome"),
).select_from(
    trials.join(worker_tests, worker_tests.c.id == trials.c.test_id).join(
        workers, workers.c.id == trials.c.worker_id
    )
)
_FIND = Query(_TRIALS.where(trials.c.uuid == bindparam("trial")))
_FIND_LOCKED = Query(_TRIALS.where(trials.c.uuid == bindparam("trial")).with_for_update(of=trials))
_NEXT = Query(
    _TRIALS.where(trials.c.worker_id == bindparam("worker"), trials.c.open == one)
    .order_by(trials.c.id)
    .limit(one)
)
_OPEN = Query(_TRIALS.where(trials.c.open == one).order_by(trials.c.id))
_OF_TEST = Query(select(trials).where(trials.c.test_id == bindparam("test")).order_by(trials.c.id))


def find_trial(tx: Tx, uuid: str, *, lock: bool = False) -> Row | None:
    """Return the trial with this UUID, with its test's and its worker's."""
    return tx.one(_FIND_LOCKED if lock and tx.shared else _FIND, trial=uuid)


def next_open(tx: Tx, worker: int) -> Row | None:
    """Return the first trial of a worker that waits or runs."""
    return tx.one(_NEXT, worker=worker)


def open_trials(tx: Tx) -> list[Row]:
    """Return all trials of the farm that wait or run."""
    return tx.all(_OPEN)


def trials_of(tx: Tx, test: int) -> list[Row]:
    """Return the trials of a test, in their order."""
    return tx.all(_OF_TEST, test=test)


_LAST = Query(
    select(worker_tests)
    .where(worker_tests.c.worker_id == bindparam("worker"))
    .order_by(worker_tests.c.asked_at.desc(), worker_tests.c.id.desc())
    .limit(one)
)


def last_test(tx: Tx, worker: int) -> Row | None:
    """Return the newest test of a worker."""
    return tx.one(_LAST, worker=worker)


_CHANGES = ("status", "open", "epoch", "seq", "started_at", "ended_at", "words", "version", "log")
_SAVE = Query(
    update(trials)
    .where(trials.c.id == bindparam("trial"))
    .values({name: bindparam(name) for name in (*_CHANGES, "picture")})
)


def save_trial(tx: Tx, row: Row, **changes: Any) -> Row:
    """Change some columns of a trial; return how it is now."""
    new = row._replace(**changes)
    values = {name: getattr(new, name) for name in (*_CHANGES, "picture")}
    tx.run(_SAVE, trial=row.id, **values)
    return new


_CLOSE = Query(
    update(worker_tests)
    .where(worker_tests.c.id == bindparam("test"), worker_tests.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)
_OPEN_OF_TEST = Query(
    select(func.count())
    .select_from(trials)
    .where(trials.c.test_id == bindparam("test"), trials.c.open == one)
)


def close_test(tx: Tx, test: int) -> bool:
    """End a test if none of its trials is open; return whether that has ended it."""
    return not tx.value(_OPEN_OF_TEST, test=test) and tx.run(_CLOSE, test=test, now=tx.now) > 0


_IS_OLD = (worker_tests.c.ended_at.is_not(None), worker_tests.c.asked_at < bindparam("before"))
_OLD = Query(select(worker_tests.c.id).where(*_IS_OLD).limit(one))
_DELETE = Query(delete(worker_tests).where(*_IS_OLD))


def are_there_old(tx: Tx, before: int) -> bool:
    """Say whether there are tests that `delete_tests` would delete."""
    return tx.one(_OLD, before=before) is not None


def delete_tests(tx: Tx, before: int) -> int:
    """Delete tests that have ended and were asked for before a moment; return how many."""
    return tx.run(_DELETE, before=before)
