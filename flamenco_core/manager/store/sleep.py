"""Rows of sleep schedules."""

from __future__ import annotations

import json
import logging
from datetime import date, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs
from sqlalchemy import bindparam, delete, insert, or_, select

from flamenco_core.domain.sleep import Schedule, Sleep, sleep_at
from flamenco_core.domain.sleep_words import span_from
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.manager.store.care_tables import sleep_schedules
from flamenco_core.manager.store.query import Query
from flamenco_core.manager.store.tables import workers
from flamenco_core.manager.store.transaction import Tx

__all__ = [
    "StoredSchedule",
    "Texts",
    "as_stored",
    "as_texts",
    "due_schedules",
    "remove_schedule",
    "save_schedule",
    "schedule_of",
]

log = logging.getLogger(__name__)

Texts = tuple[str, str, str]
"""Days, start and end of a span."""


@attrs.frozen(kw_only=True)
class StoredSchedule:
    """A worker's schedule as people wrote it, and where it stands.

    Times are microseconds, UTC; ``next_check`` is `None` while it is switched off. An
    empty ``time_zone`` is the Manager's.
    """

    worker_id: int
    is_active: bool = True
    is_lazy: bool = False
    spans: tuple[Texts, ...] = (("", "", ""),)
    days_off: tuple[str, ...] = ()
    time_zone: str = ""
    wanted: WorkerStatus = WorkerStatus.AWAKE
    changed_at: int = 0
    checked_at: int = 0
    next_check: int | None = None
    tag_id: int | None = None
    """The tag from which it was taken; `None` for one of the worker's own."""

    @property
    def schedule(self) -> Schedule:
        """What it means."""
        return Schedule(
            is_active=self.is_active,
            is_lazy=self.is_lazy,
            spans=tuple(span_from(*texts) for texts in self.spans),
            days_off=frozenset(map(date.fromisoformat, self.days_off)),
        )

    def sleep(self, moment: int, zone: tzinfo | None) -> Sleep:
        """Say whether the worker sleeps at a moment; *zone* is the Manager's."""
        return sleep_at(self.schedule, moment, self._zone(zone))

    def _zone(self, default: tzinfo | None) -> tzinfo | None:
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else default
        except ZoneInfoNotFoundError:
            # It was known where it was saved; a worker must be able to sign on all the same.
            log.warning("no time zone %r here; install the package 'tzdata'", self.time_zone)
            return default


_OF_WORKER = Query(
    select(sleep_schedules).where(sleep_schedules.c.worker_id == bindparam("worker"))
)


def schedule_of(tx: Tx, worker: int) -> StoredSchedule | None:
    """Return a worker's schedule, if it has one."""
    row = tx.one(_OF_WORKER, worker=worker)
    return as_stored(row) if row else None


def as_stored(row: Any, **more: Any) -> StoredSchedule:
    """Return a row, and what it does not have, as a schedule."""
    fields = row._asdict() | more
    fields.update(
        is_active=bool(row.is_active),
        is_lazy=bool(row.is_lazy),
        spans=tuple(map(tuple, json.loads(row.spans))),
        days_off=tuple(json.loads(row.days_off)),
    )
    if "wanted" in fields:
        fields["wanted"] = WorkerStatus(fields["wanted"])
    return StoredSchedule(**fields)


def as_texts(stored: StoredSchedule) -> dict[str, Any]:
    """Return a schedule as the columns have it."""
    values: dict[str, Any] = attrs.asdict(stored)
    values.update(
        is_active=int(stored.is_active),
        is_lazy=int(stored.is_lazy),
        spans=json.dumps(stored.spans),
        days_off=json.dumps(stored.days_off),
    )
    return values


_REMOVE = Query(delete(sleep_schedules).where(sleep_schedules.c.worker_id == bindparam("worker")))
_ADD = Query(insert(sleep_schedules).values({c.name: bindparam(c.name) for c in sleep_schedules.c}))


def save_schedule(tx: Tx, stored: StoredSchedule) -> None:
    """Store a worker's schedule; the worker must be locked."""
    remove_schedule(tx, stored.worker_id)
    tx.run(_ADD, **as_texts(stored))


def remove_schedule(tx: Tx, worker: int) -> None:
    """Let a worker have no schedule; it must be locked."""
    tx.run(_REMOVE, worker=worker)


_DUE = Query(
    select(workers.c.uuid)
    .join(sleep_schedules, sleep_schedules.c.worker_id == workers.c.id)
    .where(
        workers.c.deleted_at.is_(None),
        or_(
            sleep_schedules.c.next_check <= bindparam("now"),
            # The clock was set back: what it would have waited for is far away.
            sleep_schedules.c.checked_at > bindparam("now"),
        ),
    )
    .order_by(workers.c.id)
)


def due_schedules(tx: Tx) -> list[str]:
    """Return the UUIDs of the workers whose schedules are to be looked at now."""
    return [row.uuid for row in tx.all(_DUE, now=tx.now)]
