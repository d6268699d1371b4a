"""Make the data consistent when a Manager starts."""

from __future__ import annotations

import logging

from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.settle import settle

__all__ = ["recover_jobs"]

log = logging.getLogger(__name__)


def recover_jobs(tx: Tx, rules: Rules) -> list[str]:
    """Derive every job's counters and status from its tasks; return which were wrong.

    What people asked for is stored with the job, so a job that was caught in the middle
    of being cancelled or paused comes out as they wanted.
    """
    repaired = []
    for id in list(job_rows.all_job_ids(tx)):
        job = job_rows.load_state(tx, id)
        before = (job.status, job.completed, job.failed, job.canceled, job.paused)
        job_rows.count_tasks(tx, job)
        settle(tx, job, rules, "checked at start")
        if job.runs:
            lane_rows.reopen(tx, id)
        if before != (job.status, job.completed, job.failed, job.canceled, job.paused):
            log.warning("job %s was %s and is %s now", job.uuid, before[0], job.status)
            repaired.append(job.uuid)
    return repaired
