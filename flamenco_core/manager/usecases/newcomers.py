"""See which workers wait for approval, and which were on the farm before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flamenco_core.domain.newcomers import Machine, Newcomer, newcomers
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.manager.store import admissions
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.admissions import Admitted
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx

__all__ = ["list_workers", "newcomers_among"]


def list_workers(tx: Tx) -> tuple[list[Row], Mapping[str, Newcomer]]:
    """Return all workers, and what is to be decided of some of them."""
    rows = worker_rows.all_workers(tx)
    return rows, newcomers_among(tx, rows)


def newcomers_among(tx: Tx, rows: Iterable[Row]) -> Mapping[str, Newcomer]:
    """Return what is to be decided of workers, by their UUIDs."""
    known = admissions.all_admissions(tx)
    return newcomers(_machine(row, known.get(row.id) or Admitted(worker_id=row.id)) for row in rows)


def _machine(row: Row, known: Admitted) -> Machine:
    return Machine(
        id=row.uuid,
        name=row.name,
        platform=row.platform,
        number=known.machine,
        status=WorkerStatus(row.status),
        created=row.created_at,
        is_pending=known.is_pending,
    )
