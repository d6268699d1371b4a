"""Which jobs are meant: options that several sub-commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import click

from flamenco_core.clock import SystemClock, from_rfc3339
from flamenco_core.domain.statuses import JobStatus
from flamenco_core.domain.submitter import is_by, submitter_of
from flamenco_core.errors import BadRequest
from flamenco_core.wire.jobs import Job

__all__ = ["JobFilter", "filters_jobs", "seconds_of"]

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen(kw_only=True)
class JobFilter:
    """What jobs must be like; what is empty does not matter."""

    statuses: tuple[str, ...] = ()
    search: str | None = None
    kind: str | None = None
    user: str | None = None
    age: str | None = None

    def __bool__(self) -> bool:
        return any(attrs.astuple(self))

    def of(self, jobs: list[Job]) -> list[Job]:
        """Return those that fit; raises `BadRequest` for an age that is none."""
        seconds = seconds_of(self.age)
        latest = None if seconds is None else SystemClock().now() - seconds * 1_000_000
        return [job for job in jobs if self._fits(job, latest)]

    def _fits(self, job: Job, latest: int | None) -> bool:
        text = f"{job.name}\n{job.type}\n{job.id}".lower()
        return (
            (not self.statuses or job.status in self.statuses)
            and (not self.search or self.search.lower() in text)
            and (not self.kind or self.kind == job.type)
            and (not self.user or is_by(self.user, submitter_of(job.metadata)))
            and (latest is None or from_rfc3339(job.updated) <= latest)
        )


def filters_jobs(command: F) -> F:
    """Add the options that `JobFilter` has."""
    statuses = click.option(
        "--status",
        "statuses",
        multiple=True,
        type=click.Choice([status.value for status in JobStatus]),
        help="Only jobs of this status; may be repeated.",
    )
    search = click.option("--search", metavar="TEXT", help="Only with TEXT in name, type or id.")
    kind = click.option("--type", "kind", metavar="NAME", help="Only jobs of this type.")
    user = click.option("--user", metavar="NAME", help="Only jobs that NAME submitted.")
    age = click.option("--older-than", "age", metavar="AGE", help="Not changed for AGE, as 30d.")
    return statuses(search(kind(user(age(command)))))


def seconds_of(age: str | None) -> int | None:
    """Read an age such as ``30d``; raises `BadRequest`."""
    from flamenco_core.config.age import parse_age

    try:
        return None if age is None else parse_age(age)
    except ValueError as error:
        raise BadRequest(str(error)) from error
