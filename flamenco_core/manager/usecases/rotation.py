"""Let workers change their secrets, and ask them to."""

from __future__ import annotations

import attrs

from flamenco_core.domain.events import WorkerSecretChanged
from flamenco_core.errors import Conflict
from flamenco_core.manager.store import admissions
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx

__all__ = ["ask_to_rotate", "change_secret"]


def change_secret(tx: Tx, worker_id: str, *, shown: str, new: str, overlap: int) -> None:
    """Give a worker another secret; the former counts for *overlap* microseconds more.

    *shown* and *new* are hashes. Said again, because the answer was lost, it changes
    nothing. Raises `Conflict` when a former secret asks for yet another one: whoever has
    found that must not lock the worker out.
    """
    row = worker_rows.lock_worker(tx, worker_id)
    if new == row.secret_hash:
        return
    if shown != row.secret_hash:
        raise Conflict(
            f"worker {row.name} has changed its secret already, to another one than this;"
            " the former one counts for a while, and cannot change it again"
        )
    admitted = admissions.admission_of(tx, row.id)
    changed = attrs.evolve(
        admitted, former_hash=row.secret_hash, former_until=tx.now + overlap, must_rotate=False
    )
    admissions.save_admission(tx, changed)
    admissions.set_secret(tx, row.id, new)
    _tell(tx, row)


def ask_to_rotate(tx: Tx, worker_id: str) -> None:
    """Ask a worker to change its secret at its next call; raises `NotFound`."""
    row = worker_rows.lock_worker(tx, worker_id)
    admitted = admissions.admission_of(tx, row.id)
    admissions.save_admission(tx, attrs.evolve(admitted, must_rotate=True))
    _tell(tx, row)
    # It may be waiting for work, on a connection that was let in before.
    tx.wake(worker_id)


def _tell(tx: Tx, row: Row) -> None:
    tx.emit(WorkerSecretChanged(worker_rows.worker_facts(row, updated=tx.now)))
