"""Make the data consistent when a Manager starts, while others may be at work."""

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

__all__ = ["jobs_to_recover", "recover_job", "recover_jobs"]

log = logging.getLogger(__name__)

ENDED = frozenset({JobStatus.COMPLETED, JobStatus.CANCELED, JobStatus.FAILED})


def jobs_to_recover(tx: Tx, rules: Rules) -> list[str]:
    """Return the jobs whose counters, status or lanes do not fit their tasks.

    Read it: in one consistent state of the data, what another Manager is just doing looks
    right.
    """
    counts, shut = job_rows.count_all(tx), lane_rows.shut_by_mistake(tx)
    found = []
    for job in job_rows.all_states(tx):
        counted = attrs.evolve(job)
        job_rows.set_counts(counted, counts.get(job.id, []))
        if not _fits(tx, job, counted, rules) or (job.id in shut and _is_given_out(job)):
            found.append(job.uuid)
    return found


def recover_job(tx: Tx, job_id: str, rules: Rules) -> bool:
    """Derive a job's counters and status from its tasks; return whether they were wrong.

    What people asked for is stored with the job, so a job that was caught in the middle
    of being cancelled or paused comes out as they wanted. A job that is right is left as
    it is, also its time of change. Raises `NotFound`.
    """
    # Locked, it is looked at again: another Manager may have changed it since.
    job = job_rows.lock_job(tx, job_id)
    before = attrs.evolve(job)
    job_rows.count_tasks(tx, job)
    was_right = _fits(tx, before, job, rules)
    if not was_right:
        settle(tx, job, rules, "checked at start")
        log.warning("job %s was %s and is %s now", job.uuid, before.status, job.status)
    if _is_given_out(job):
        lane_rows.reopen(tx, job.id)
    return not was_right


def recover_jobs(tx: Tx, rules: Rules) -> list[str]:
    """Do this for all jobs in one transaction; return which were wrong."""
    return [job for job in jobs_to_recover(tx, rules) if recover_job(tx, job, rules)]


def _is_given_out(job: job_rows.JobState) -> bool:
    return job.runs and job.status not in ENDED


def _fits(tx: Tx, stored: job_rows.JobState, counted: job_rows.JobState, rules: Rules) -> bool:
    tally = job_rows.tally_of(tx, counted)
    status = job_status(counted.wanted, counted.started, tally, rules.failure)
    return attrs.evolve(counted, status=status) == stored
