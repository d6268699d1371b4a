"""Compile a job without a Manager."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flamenco_core.clock import new_id
from flamenco_core.manager import ManagerSettings, create_manager
from flamenco_core.manager.job_types import check_authored
from flamenco_core.offers.job_type import AuthoredJob, JobTypeLike, Submission
from flamenco_core.offers.python_job_type import JobType

__all__ = ["compile_job", "found_job_type"]

CREATED = 1_775_037_600_000_000
"""2026-04-01, 10:00 UTC: job types that write the time write the same in every run."""


async def compile_job(
    job_type: type[JobType] | JobTypeLike | Path,
    settings: Mapping[str, Any] | None = None,
    **rest: Any,
) -> AuthoredJob:
    """Return the tasks that a job type makes of *settings*.

    *job_type* is a class, anything that the Manager takes for a job type, or a script's
    file. *rest* are further fields of `Submission`. Raises `JobTypeError` as it would be
    shown to the artist.
    """
    found = await found_job_type(job_type)
    submission = Submission(
        **{
            "job_id": new_id(),
            "name": "test",
            "type": found.name,
            "priority": 50,
            "created": CREATED,
            "settings": dict(settings or {}),
            **rest,
        }
    )
    job = await found.compile(submission)
    check_authored(job)
    return job


async def found_job_type(job_type: type[JobType] | JobTypeLike | Path) -> JobTypeLike:
    """Return a job type, a class or a script in the form that the Manager uses."""
    if isinstance(job_type, Path):
        job_types = _with_scripts(job_type).job_types
        script: JobTypeLike = await job_types.get(job_type.stem.replace("_", "-"))
        return script
    return _in_python(job_type)


def _in_python(job_type: type[JobType] | JobTypeLike) -> JobTypeLike:
    if isinstance(job_type, type) and issubclass(job_type, JobType):
        return job_type.offered()
    assert isinstance(job_type, JobTypeLike), f"{job_type!r} is no job type"
    return job_type


def _with_scripts(file: Path) -> Any:
    assert file.is_file(), f"there is no file {file}"
    sections = {"javascript": {"scripts": [str(file.parent)]}}
    app = create_manager(ManagerSettings(plugins=sections, required=("javascript",)))
    return app.state.manager
