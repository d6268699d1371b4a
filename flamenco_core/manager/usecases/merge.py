"""Make one of two workers that are the same machine."""

from __future__ import annotations

from flamenco_core.domain.events import WorkerUpdated
from flamenco_core.domain.newcomers import IDLE
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.errors import BadRequest, Conflict
from flamenco_core.manager.store import merging
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.workers import delete_worker

__all__ = ["merge_workers"]


def merge_workers(tx: Tx, old_id: str, new_id: str, rules: Rules) -> None:
    """Give the new worker all that is known of the old one, and delete that.

    Raises `NotFound`, `BadRequest` for one worker twice, or `Conflict` when the old one may
    be at work.
    """
    if old_id == new_id:
        raise BadRequest("a worker cannot be merged with itself; name the old one and the new one")
    # In one order: two people who merge the same two wait, and do not deadlock.
    rows = {uuid: worker_rows.lock_worker(tx, uuid) for uuid in sorted((old_id, new_id))}
    old, new = rows[old_id], rows[new_id]
    if old.status not in IDLE:
        raise Conflict(
            f"worker {old.name} ({old.uuid}) is {WorkerStatus(old.status)}; only one that is"
            " offline or asleep can be merged into another one"
        )
    # First: its tasks go back under its own name, and no run of it is left open.
    delete_worker(tx, old_id, rules)
    merging.move_all(tx, old.id, new.id)
    tx.emit(WorkerUpdated(worker_rows.worker_facts(new, updated=tx.now)))
    # An idle worker waits at the pools of its own tags: let it ask again.
    tx.wake(new_id)
