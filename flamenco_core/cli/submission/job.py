"""Make the body of a submission."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flamenco_core import platform
from flamenco_core.cli.person import user_name
from flamenco_core.cli.submission.blender import evaluate
from flamenco_core.cli.submission.fill import Form
from flamenco_core.clock import new_id
from flamenco_core.domain.statuses import JobStatus
from flamenco_core.domain.submitter import SUBMITTER
from flamenco_core.wire.job_types import AvailableJobType
from flamenco_core.wire.jobs import SubmittedJob

__all__ = ["filled_in", "submitted_job"]


def filled_in(
    job_type: AvailableJobType,
    *,
    blend: Path,
    name: str,
    given: Mapping[str, Any],
    find: Callable[[], Sequence[str] | None],
) -> dict[str, Any]:
    """Return all settings of a job; *find* is called only if Blender has to be asked.

    Raises `FlamencoError` that names what is missing, and how to give it.
    """
    form = Form(job_type=job_type, blend=blend, job_name=name, values=dict(given))
    program = find() if form.wants_blender else None
    if program is None:
        return form.fill(None)
    return form.fill(
        lambda expressions, settings: evaluate(
            program, blend, expressions, settings=settings, job_name=name
        )
    )


def submitted_job(
    job_type: AvailableJobType,
    *,
    name: str,
    settings: dict[str, Any],
    priority: int = 50,
    worker_tag: str | None = None,
    paused: bool = False,
) -> SubmittedJob:
    """Return the body; its id is new, so that sending it again makes no second job."""
    return SubmittedJob(
        id=new_id(),
        name=name,
        type=job_type.name,
        type_etag=job_type.etag,
        submitter_platform=platform.go_os(),
        priority=priority,
        settings=settings,
        metadata={SUBMITTER: user} if (user := user_name()) else {},
        worker_tag=worker_tag,
        initial_status=JobStatus.PAUSED if paused else JobStatus.QUEUED,
    )
