"""Make the data consistent when a Manager starts."""

from __future__ import annotations

import logging

import attrs

from flamenco_core.domain.jobs import job_status
from flamenco_core.domain.statuses import JobStatus
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.settle import settle

__all__ = ["recover_jobs"]

log = logging.getLogger(__name__)

ENDED = frozenset({JobStatus.COMPLETED, JobStatus.CANCELED, JobStatus.FAILED})


def recover_jobs(tx: Tx, rules: Rules) -> list[str]:
    """Derive every job's counters and status from its tasks; return which were wrong.

    What people asked for is stored with the job, so a job that was caught in the middle
    of being cancelled or paused comes out as they wanted. A job that is right is left as
    it is, also its time of change; so is one that is being deleted, for part of its tasks
    may be gone already.
    """
    counts = job_rows.count_all(tx)
    repaired = []
    for job in job_rows.all_states(tx):
        if job.delete_requested_at is not None:
            continue
        # Another Manager may be at work: what looks wrong is looked at again under a lock.
        if not _is_right(tx, job, counts.get(job.id, []), rules) and _repair(tx, job.uuid, rules):
            repaired.append(job.uuid)
        if job.runs and job.status not in ENDED:
            lane_rows.reopen(tx, job.id)
    return repaired


def _is_right(tx: Tx, stored: job_rows.JobState, counts: job_rows.Counts, rules: Rules) -> bool:
    counted = attrs.evolve(stored)
    job_rows.set_counts(counted, counts)
    tally = job_rows.tally_of(tx, counted)
    counted.status = job_status(counted.wanted, counted.started, tally, rules.failure)
    return counted == stored


def _repair(tx: Tx, job_id: str, rules: Rules) -> bool:
    job = job_rows.lock_job(tx, job_id)
    before = attrs.evolve(job)
    job_rows.count_tasks(tx, job)
    settle(tx, job, rules, "checked at start")
    if job == before:
        return False
    if job.runs:
        lane_rows.reopen(tx, job.id)
    log.warning("job %s was %s and is %s now", job.uuid, before.status, job.status)
    return True
