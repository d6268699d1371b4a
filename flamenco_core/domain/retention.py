"""How long a finished job is kept: what was said of it, else the first rule that fits."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from flamenco_core.domain.submitter import is_by

__all__ = ["FINISHED", "Aged", "Fate", "Rule", "fate_of"]

FINISHED = frozenset({"completed", "failed", "canceled"})
"""Statuses in which nothing of a job is left to do; no other job goes by itself."""
_SECOND = 1_000_000


@attrs.frozen(kw_only=True)
class Aged:
    """What counts of a job; times in microseconds.

    ``user`` is who submitted it, empty if nobody says. ``keep`` and ``seconds`` are what
    people have said of this very job.
    """

    status: str
    type: str
    tag: str
    updated: int
    user: str = ""
    keep: bool = False
    seconds: int | None = None


@attrs.frozen(kw_only=True)
class Rule:
    """Jobs of a type, tag, user and status (empty: of any) are kept, or go after *seconds*."""

    job_type: str = ""
    tag: str = ""
    user: str = ""
    statuses: tuple[str, ...] = ()
    seconds: int | None = None

    def fits(self, job: Aged) -> bool:
        """Say whether the rule is about this job."""
        return (
            self.job_type in ("", job.type)
            and self.tag in ("", job.tag)
            and (not self.user or is_by(self.user, job.user))
            and (not self.statuses or job.status in self.statuses)
        )


@attrs.frozen
class Fate:
    """When a job goes (microseconds; None: never by itself), and why."""

    expires: int | None
    reason: str


def fate_of(job: Aged, rules: Iterable[Rule]) -> Fate:
    """Return what becomes of a job. What is said of it wins over all rules."""
    if job.keep:
        return Fate(None, "it is to be kept")
    if job.status not in FINISHED:
        return Fate(None, "it is not finished")
    if job.seconds is not None:
        return Fate(job.updated + job.seconds * _SECOND, "its own time")
    for number, rule in enumerate(rules, start=1):
        if rule.fits(job):
            if rule.seconds is None:
                return Fate(None, f"rule {number} keeps it")
            return Fate(job.updated + rule.seconds * _SECOND, f"rule {number}")
    return Fate(None, "no rule is about it")
