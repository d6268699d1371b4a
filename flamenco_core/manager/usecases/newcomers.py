"""See which workers wait for approval, and which were on the farm before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from flamenco_core.domain.newcomers import STRANGER, Machine, Newcomer, newcomers
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.manager.store import admissions
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.admissions import Admitted
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx

__all__ = ["ListedWorker", "list_workers", "newcomers_among"]


@attrs.frozen
class ListedWorker:
    """A worker's row, its tags by name, and what is to be decided of it."""

    row: Row
    tags: Sequence[Row]
    new: Newcomer


def list_workers(tx: Tx) -> list[ListedWorker]:
    """Return all workers, oldest first."""
    rows, tags = worker_rows.all_workers(tx), worker_rows.tags_of_all(tx)
    new = newcomers_among(tx, rows)
    return [ListedWorker(row, tags.get(row.id, ()), new.get(row.uuid, STRANGER)) for row in rows]


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
