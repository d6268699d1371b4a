"""Take a worker back that was given up and is heard of again; nobody has to help."""

from __future__ import annotations

from flamenco_core.domain.events import WorkerStatusChanged
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.workers import wake_up
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.requests import change_status
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.sleep import request_on_return

__all__ = ["come_back", "take_back"]


def come_back(tx: Tx, worker_id: str, now: WorkerStatus, rules: Rules) -> None:
    """Take in that a worker lives, and what its call shows it to be."""
    row = worker_rows.find_worker(tx, worker_id)
    if row is not None and wake_up(WorkerStatus(row.status)):
        take_back(tx, row, now, "it was heard of again", rules)


def take_back(tx: Tx, row: Row, now: WorkerStatus, reason: str, rules: Rules) -> Row:
    """Give a locked worker that was given up its status; return it as it is now."""
    request = request_on_return(tx, row, now, rules.zone)
    change_status(tx, row, now, request)
    fresh = worker_rows.lock_worker(tx, row.uuid)
    facts = worker_rows.worker_facts(fresh)
    previous = WorkerStatus(row.status)
    tx.emit(WorkerStatusChanged(worker=facts, previous_status=previous, reason=reason))
    return fresh
