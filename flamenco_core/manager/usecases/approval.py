"""Workers that nobody has let in yet: they may call, and get nothing."""

from __future__ import annotations

import attrs

from flamenco_core.domain.events import WorkerUpdated
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.workers import Request
from flamenco_core.errors import Conflict
from flamenco_core.manager.store import admissions
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.registration_tokens import held_tag
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.sleep import scheduled_status
from flamenco_core.manager.usecases.workers import delete_worker

__all__ = ["approve_worker", "reject_worker"]


def approve_worker(tx: Tx, worker_id: str, tag: str, rules: Rules) -> None:
    """Let a worker in that waits for it, with a tag if one is named.

    It wakes up at its next call. One that is in already is left alone. Raises `NotFound`.
    """
    row = worker_rows.lock_worker(tx, worker_id)
    admitted = admissions.admission_of(tx, row.id)
    if not admitted.is_pending:
        return
    admissions.save_admission(tx, attrs.evolve(admitted, is_pending=False))
    if tag_id := held_tag(tx, tag):
        tag_rows.replace_worker_tags(tx, row.id, [tag_id])
    _wake(tx, row, rules)


def _wake(tx: Tx, row: Row, rules: Rules) -> None:
    # It sleeps, and would come back as it left: asleep.
    request = Request(scheduled_status(tx, row.id, rules.zone))
    worker_rows.set_status(tx, row.id, WorkerStatus(row.status), request)
    tx.emit(WorkerUpdated(worker_rows.worker_facts(row, request=request, updated=tx.now)))
    tx.wake(row.uuid)


def reject_worker(tx: Tx, worker_id: str, rules: Rules) -> None:
    """Send a worker away that waits for approval.

    Raises `NotFound`, or `Conflict` for one that is in: it may have work in its hands.
    """
    row = worker_rows.lock_worker(tx, worker_id)
    if not admissions.is_pending(tx, row.id):
        raise Conflict(f"worker {row.name} does not wait for approval; delete it if it shall go")
    delete_worker(tx, worker_id, rules)
