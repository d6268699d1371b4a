"""Rows of what workers were asked to be, and what came of it."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select, update

from flamenco_core.domain.workers import Request, RequestOutcome
from flamenco_core.manager.store.care_tables import status_requests
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.transaction import Tx

__all__ = ["end_request", "open_request", "requests_of"]

KEPT = 30 * 24 * 3600 * 1_000_000
SHOWN = 20

_OPEN = Query(
    insert(status_requests).values(
        worker_id=bindparam("worker"),
        status=bindparam("status"),
        is_lazy=bindparam("is_lazy"),
        asked_by=bindparam("asked_by"),
        asked_at=bindparam("now"),
    )
)
_FORGET = Query(
    delete(status_requests).where(
        status_requests.c.worker_id == bindparam("worker"),
        status_requests.c.asked_at < bindparam("before"),
        status_requests.c.ended_at.is_not(None),
    )
)
_END = Query(
    update(status_requests)
    .where(status_requests.c.worker_id == bindparam("worker"), status_requests.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"), outcome=bindparam("outcome"))
)
_OF_WORKER = Query(
    select(status_requests)
    .where(status_requests.c.worker_id == bindparam("worker"))
    .order_by(status_requests.c.id.desc())
    .limit(bindparam("most"))
)


def open_request(tx: Tx, worker: int, request: Request, asked_by: str) -> None:
    """Note what a locked worker is asked to be, and by whom; forget what is long ago."""
    tx.run(_FORGET, worker=worker, before=tx.now - KEPT)
    values = {"status": request.status, "is_lazy": int(request.is_lazy), "asked_by": asked_by}
    tx.run(_OPEN, worker=worker, now=tx.now, **values)


def end_request(tx: Tx, worker: int, outcome: RequestOutcome) -> None:
    """Note what became of the open request of a locked worker."""
    tx.run(_END, worker=worker, outcome=outcome, now=tx.now)


def requests_of(tx: Tx, worker: int) -> list[Row]:
    """Return what a worker was asked to be, the newest first."""
    return tx.all(_OF_WORKER, worker=worker, most=SHOWN)
