"""Change a worker's status and what is asked of it, and remember who asked and when."""

from __future__ import annotations

from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.workers import Request, outcome_of
from flamenco_core.manager.store import status_requests as rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx

__all__ = ["change_status", "requests_of_worker"]


def change_status(
    tx: Tx, row: Row, status: WorkerStatus, request: Request | None, by: str = ""
) -> None:
    """Let a locked worker be *status*, with this asked of it *by* somebody, or the farm.

    What was asked before is confirmed, replaced or withdrawn by that.
    """
    pending = worker_rows.request_of(row)
    worker_rows.set_status(tx, row.id, status, request)
    if request == pending:
        return
    if pending is not None:
        rows.end_request(tx, row.id, outcome_of(pending, status, request))
    if request is not None:
        rows.open_request(tx, row.id, request, by)


def requests_of_worker(tx: Tx, worker_id: str) -> list[Row]:
    """Return what a worker was asked to be, the newest first; raises `NotFound`."""
    return rows.requests_of(tx, worker_rows.worker_by_uuid(tx, worker_id).id)
