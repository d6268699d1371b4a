"""Bodies of our own operations on the disk use and the deletion of jobs; not in Flamenco 3."""

from __future__ import annotations

from typing import Annotated

import attrs

from flamenco_core.wire.schema import Id, Limits

__all__ = ["DeletedJob", "JobDiskUse", "JobsDeletion", "JobsDeletionResult", "JobsDiskUse"]


@attrs.frozen(kw_only=True)
class JobDiskUse:
    """Bytes of a job on the Manager's own disk. Deleting it leaves the archive."""

    job_id: str
    logs: int
    images: int
    archive: int


@attrs.frozen
class JobsDiskUse:
    """The same of all jobs."""

    jobs: list[JobDiskUse]


@attrs.frozen(kw_only=True)
class JobsDeletion:
    """Which jobs to delete, or only to say what would be; archived before if wished.

    With ``spare_kept`` those stay that somebody wants to keep.
    """

    job_ids: Annotated[list[Id], Limits(minItems=1)]
    archive: bool = False
    dry_run: bool = False
    spare_kept: bool = False


@attrs.frozen(kw_only=True)
class DeletedJob:
    """What becomes of one job; with a ``problem`` it is not deleted."""

    id: str
    name: str = ""
    type: str = ""
    status: str = ""
    size: int = 0
    problem: str | None = None


@attrs.frozen(kw_only=True)
class JobsDeletionResult:
    """What becomes of each job, in the order asked; ``size`` are the bytes it frees."""

    dry_run: bool
    size: int
    jobs: list[DeletedJob]
