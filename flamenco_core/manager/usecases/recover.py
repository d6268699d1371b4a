"""Make the data of jobs consistent: when a Manager starts, and from time to time."""

from __future__ import annotations

import logging

import attrs

from flamenco_core.domain.jobs import job_status
from flamenco_core.domain.statuses import DONE, JobStatus, TaskStatus, Wanted
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import lanes as lane_rows
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.control import reapply_wish
from flamenco_core.manager.usecases.rules import Rules
from flamenco_core.manager.usecases.settle import settle

__all__ = [
    "Repaired",
    "jobs_to_recover",
    "recover_job",
    "recover_jobs",
    "repair_job",
    "stuck_jobs",
]

log = logging.getLogger(__name__)

ENDED = frozenset({JobStatus.COMPLETED, JobStatus.CANCELED, JobStatus.FAILED})
REASON = "what was asked of it had not been done in full"


@attrs.frozen(kw_only=True)
class Repaired:
    """A job that was stuck, and what it is now."""

    job_id: str
    name: str
    was: JobStatus
    now: JobStatus


def jobs_to_recover(tx: Tx, rules: Rules) -> list[str]:
    """Return the jobs whose counters, status or lanes do not fit their tasks.

    Read it: in one consistent state of the data, what another Manager is just doing looks
    right.
    """
    counts, shut = job_rows.count_all(tx), lane_rows.shut_by_mistake(tx)
    found = []
    for job in job_rows.all_states(tx):
        is_right = _is_right(tx, job, counts.get(job.id, []), rules)
        if not is_right or (job.id in shut and _is_given_out(job)):
            found.append(job.uuid)
    return found


def recover_job(tx: Tx, job_id: str, rules: Rules) -> bool:
    """Derive a job's counters and status from its tasks; return whether they were wrong.

    What people asked for is stored with the job, so a job that was caught in the middle
    of being cancelled or paused comes out as they wanted. A job that is right is left as
    it is, also its time of change; so is one that is being deleted, for part of its tasks
    may be gone already. Raises `NotFound`.
    """
    was_right = repair_job(tx, job_id, rules) is None
    job = job_rows.lock_job(tx, job_id)
    if _is_given_out(job):
        lane_rows.reopen(tx, job.id)
    return not was_right


def recover_jobs(tx: Tx, rules: Rules) -> list[str]:
    """Do this for all jobs in one transaction; return which were wrong."""
    return [job for job in jobs_to_recover(tx, rules) if recover_job(tx, job, rules)]


def _is_given_out(job: job_rows.JobState) -> bool:
    return job.runs and job.status not in ENDED and job.delete_requested_at is None


def stuck_jobs(tx: Tx, rules: Rules) -> list[str]:
    """Return the UUIDs of jobs that are on their way to a status and do not get there."""
    return [
        job.uuid
        for job in job_rows.states_between(tx)
        if not _is_right(tx, job, job_rows.counts_of(tx, job), rules)
    ]


def _is_right(tx: Tx, stored: job_rows.JobState, counts: job_rows.Counts, rules: Rules) -> bool:
    if stored.delete_requested_at is not None:
        return True
    counted = attrs.evolve(stored)
    job_rows.set_counts(counted, counts)
    tally = job_rows.tally_of(tx, counted)
    counted.status = job_status(counted.wanted, counted.started, tally, rules.failure)
    return counted == stored and _is_followed(stored, counts)


def _is_followed(job: job_rows.JobState, counts: job_rows.Counts) -> bool:
    """Say whether the tasks of a job that is not to run are as people want them."""
    # Of a job that was submitted paused, the tasks are queued.
    if job.wanted is Wanted.RUN or job.status in {JobStatus.COMPLETED, JobStatus.PAUSED}:
        return True
    allowed = {*DONE, TaskStatus.PAUSED}
    if job.wanted is Wanted.PAUSE:
        allowed.add(TaskStatus.ACTIVE)
    return all(row.status in allowed for row in counts)


def repair_job(tx: Tx, job_id: str, rules: Rules) -> Repaired | None:
    """Bring a job in line with its tasks and what people want; `None` if it is already."""
    job = job_rows.lock_job(tx, job_id)
    before = attrs.evolve(job)
    counts = job_rows.counts_of(tx, job)
    # Locked, it is looked at again: another Manager may have changed it since.
    if _is_right(tx, job, counts, rules):
        return None
    job_rows.set_counts(job, counts)
    if not _is_followed(job, counts) or job.status is JobStatus.REQUEUEING:
        reapply_wish(tx, job, REASON, rules)
    settle(tx, job, rules, REASON)
    if job == before:
        return None
    if job.runs:
        lane_rows.reopen(tx, job.id)
    log.warning("job %s (%s) was %s and is %s now", job.uuid, job.name, before.status, job.status)
    return Repaired(job_id=job.uuid, name=job.name, was=before.status, now=job.status)
