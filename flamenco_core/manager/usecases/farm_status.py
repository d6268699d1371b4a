"""Say in one word what the farm is doing."""

from __future__ import annotations

from sqlalchemy import select

from flamenco_core.domain.farm import FarmStatus, farm_status
from flamenco_core.domain.statuses import JobStatus, WorkerStatus
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import jobs, workers
from flamenco_core.manager.store.transaction import Tx

__all__ = ["report_farm"]

_WORKERS = Query(select(workers.c.status).distinct().where(workers.c.deleted_at.is_(None)))
_JOBS = Query(select(jobs.c.status).distinct())


def report_farm(tx: Tx) -> FarmStatus:
    """Return the farm's status, from its workers and jobs as they are now."""
    return farm_status(
        workers={WorkerStatus(row.status) for row in tx.all(_WORKERS)},
        jobs={JobStatus(row.status) for row in tx.all(_JOBS)},
    )
