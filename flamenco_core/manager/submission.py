"""From what a client hands in to a stored job."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any

from flamenco_core.domain.statuses import JobStatus
from flamenco_core.errors import BadRequest, FlamencoError, JobTypeError
from flamenco_core.manager.host import Manager
from flamenco_core.manager.job_type_watch import SeenJobType
from flamenco_core.manager.job_types import check_authored
from flamenco_core.manager.limits import Limits
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.submit import require_tag, submit_job
from flamenco_core.offers.job_type import AuthoredJob, JobTypeLike, Submission
from flamenco_core.wire.jobs import SubmittedJob

__all__ = ["compile_job", "submit"]

log = logging.getLogger(__name__)

_INITIAL = {None: False, JobStatus.QUEUED: False, JobStatus.PAUSED: True}


async def submit(manager: Manager, body: SubmittedJob) -> Row:
    """Compile and store a job; return its row.

    Raises what `compile_job` does; nothing is stored then.
    """
    if body.initial_status not in _INITIAL:
        raise BadRequest(f"initial_status must be queued or paused, not {body.initial_status}")
    submission, seen, job = await compile_job(manager, body)
    return await manager.database.write(
        _store,
        submission,
        job,
        manager,
        paused=_INITIAL[body.initial_status],
        source_hash=seen.source_hash,
    )


def _store(
    tx: Tx, /, submission: Submission, job: AuthoredJob, manager: Manager, **how: Any
) -> Row:
    return job_rows.job_by_uuid(tx, submit_job(tx, submission, job, manager.rules, **how))


async def compile_job(
    manager: Manager, body: SubmittedJob
) -> tuple[Submission, SeenJobType, AuthoredJob]:
    """Do everything but store a job.

    Raises `UnknownJobType`, `OutdatedJobType`, `JobTypeError`, or `BadRequest` with what
    plugins have against it.
    """
    submission = _submission(manager, body)
    seen = await manager.job_type_watch.get_current(body.type, body.type_etag or "")
    if submission.worker_tag:
        await manager.database.read(require_tag, submission.worker_tag)
    problems = await manager.plugins.check("check_submission", job=submission, manager=manager)
    if problems:
        raise BadRequest("; ".join(problem.message for problem in problems))
    return submission, seen, await _compiled(seen.job_type, submission, manager.settings.limits)


async def _compiled(job_type: JobTypeLike, submission: Submission, limits: Limits) -> AuthoredJob:
    try:
        job = await job_type.compile(submission)
        await asyncio.to_thread(check_authored, job, limits)  # a large one takes its time
    except FlamencoError:
        raise
    # The border to job types: whatever they raise is for the artist to read, and to pass on.
    except Exception as error:
        log.exception("job type %r failed", job_type.name)
        raise JobTypeError(f"job type {job_type.name!r} failed: {error!r}") from error
    return job


def _submission(manager: Manager, body: SubmittedJob) -> Submission:
    platform = body.submitter_platform
    if platform == "manager":
        platform = manager.platform

    def portable(value: Any) -> Any:
        known = manager.variables
        return known.recognize(value, platform) if isinstance(value, str) else value

    return Submission(
        job_id=_id(manager, body.id),
        name=body.name,
        type=body.type,
        priority=body.priority,
        created=manager.clock.now(),
        settings={key: portable(value) for key, value in body.settings.items()},
        metadata={key: portable(value) for key, value in body.metadata.items()},
        shaman_checkout_id=(body.storage and body.storage.shaman_checkout_id) or "",
        worker_tag=body.worker_tag or "",
        submitter_platform=platform,
        most_frames=manager.settings.limits.frames_per_range,
    )


def _id(manager: Manager, given: str | None) -> str:
    if given is None:
        return manager.new_id()
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise BadRequest(f"SubmittedJob.id must be a UUID, not {given!r:.60}") from None
