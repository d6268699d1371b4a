"""Say how long jobs are kept, find those whose time is over, and let them go."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import attrs

from flamenco_core.domain.events import JobUpdated
from flamenco_core.domain.retention import Aged, Fate, Rule, fate_of
from flamenco_core.domain.submitter import submitter_of
from flamenco_core.errors import NotFound
from flamenco_core.manager.store import jobs as job_rows
from flamenco_core.manager.store import retention as rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.delete import request_deletion

__all__ = ["Expired", "fate_of_job", "find_expired", "let_go", "mark", "set_retention"]


@attrs.frozen(kw_only=True)
class Expired:
    """A job whose time is over, and why."""

    id: str
    name: str
    type: str
    status: str
    updated: int
    reason: str


def set_retention(tx: Tx, job_id: str, *, keep: bool, seconds: int | None) -> None:
    """Keep a job for ever, or for *seconds* after its last change, or as the rules say.

    It counts as no change of the job. Raises `NotFound`.
    """
    job = job_rows.lock_job(tx, job_id)
    before = rows.of_job(tx, job_id)
    archive = bool(before and before.archive)
    rows.save(tx, job.id, keep=keep, seconds=seconds, archive=archive)
    tx.emit(JobUpdated(job_rows.job_facts(tx, job)))


def fate_of_job(tx: Tx, job_id: str, rules: Sequence[Rule]) -> tuple[Row, Fate]:
    """Return what is said of a job, and what becomes of it; raises `NotFound`."""
    row = rows.of_job(tx, job_id)
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    return row, fate_of(_aged(row), rules)


def find_expired(tx: Tx, rules: Sequence[Rule]) -> list[Expired]:
    """Return the jobs whose time is over."""
    return [
        Expired(
            id=row.uuid,
            name=row.name,
            type=row.type,
            status=row.status,
            updated=row.updated_at,
            reason=fate.reason,
        )
        for row in rows.all_of_jobs(tx)
        if _is_over(tx, fate := fate_of(_aged(row), rules))
    ]


def let_go(tx: Tx, job_ids: Iterable[str], rules: Sequence[Rule], *, archive: bool) -> list[str]:
    """Mark jobs for deletion whose time is still over; return which.

    Between looking and acting somebody may have requeued one, or wants to keep it.
    """
    gone = []
    for job_id in job_ids:
        row = rows.of_job(tx, job_id)
        if row is not None and _is_over(tx, fate_of(_aged(row), rules)):
            mark(tx, job_id, archive=archive)
            gone.append(job_id)
    return gone


def mark(tx: Tx, job_id: str, *, archive: bool) -> None:
    """Mark a job for deletion, and for the archive before it; raises `NotFound`."""
    row, _ = fate_of_job(tx, job_id, ())
    if archive:
        rows.save(tx, row.id, keep=bool(row.keep), seconds=row.seconds, archive=True)
    request_deletion(tx, job_id)


def _is_over(tx: Tx, fate: Fate) -> bool:
    return fate.expires is not None and fate.expires <= tx.now


def _aged(row: Row) -> Aged:
    return Aged(
        status=row.status,
        type=row.type,
        tag=row.tag_name or "",
        user=submitter_of(json.loads(row.metadata)),
        updated=row.updated_at,
        keep=bool(row.keep),
        seconds=row.seconds,
    )
