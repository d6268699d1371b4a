"""Let workers have sleep schedules, and ask of them what these say.

A schedule speaks when it is saved and when a sleep begins or ends. In between it is
silent: a worker that was woken by hand stays awake until its next sleep. To a worker that
is not there it says nothing; that one hears it when it comes back.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import attrs

from flamenco_core.domain.events import WorkerUpdated
from flamenco_core.domain.sleep import Sleep, request_by
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.workers import AWAY, Request
from flamenco_core.errors import BadRequest
from flamenco_core.manager.store import sleep as sleep_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.sleep import StoredSchedule
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.requests import change_status

__all__ = [
    "ScheduleChange",
    "follow_schedule",
    "get_schedule",
    "let_speak",
    "request_on_return",
    "scheduled_status",
    "set_schedule",
]

MOST_SPANS = 50
MOST_DAYS_OFF = 1000


@attrs.frozen(kw_only=True)
class ScheduleChange:
    """What somebody wants of a schedule; what is `None` stays as it is.

    ``span`` and ``more_spans`` are days, start and end in texts, as in
    `flamenco_core.domain.sleep_words`, and in their one form.
    """

    is_active: bool
    span: sleep_rows.Texts
    more_spans: tuple[sleep_rows.Texts, ...] | None = None
    days_off: tuple[str, ...] | None = None
    time_zone: str | None = None
    is_lazy: bool | None = None

    def made_to(self, old: StoredSchedule) -> StoredSchedule:
        """Return a schedule that is changed by this; raises `BadRequest` for a huge one."""
        rest: dict[str, Any] = {
            "days_off": self.days_off,
            "time_zone": self.time_zone,
            "is_lazy": self.is_lazy,
        }
        more = old.spans[1:] if self.more_spans is None else self.more_spans
        new = attrs.evolve(
            old,
            is_active=self.is_active,
            spans=(self.span, *more),
            **{key: value for key, value in rest.items() if value is not None},
        )
        if len(new.spans) > MOST_SPANS or len(new.days_off) > MOST_DAYS_OFF:
            raise BadRequest(
                f"a sleep schedule has at most {MOST_SPANS} spans and {MOST_DAYS_OFF} exceptions"
            )
        return new


def get_schedule(tx: Tx, worker_id: str) -> StoredSchedule | None:
    """Return the schedule of the worker with this UUID; raises `NotFound` for no worker."""
    return sleep_rows.schedule_of(tx, worker_rows.worker_by_uuid(tx, worker_id).id)


def set_schedule(tx: Tx, worker_id: str, change: ScheduleChange, zone: tzinfo | None) -> None:
    """Give a worker a schedule, or another one; it acts at once. Raises `NotFound`."""
    row = worker_rows.lock_worker(tx, worker_id)
    old = sleep_rows.schedule_of(tx, row.id) or StoredSchedule(worker_id=row.id)
    # What it had from a tag is its own from now on.
    let_speak(tx, row, attrs.evolve(change.made_to(old), tag_id=None), zone)


def follow_schedule(tx: Tx, worker_id: str, zone: tzinfo | None) -> None:
    """Ask of a worker what its schedule says, if that has begun since the last look."""
    row = worker_rows.find_worker(tx, worker_id)
    stored = row and sleep_rows.schedule_of(tx, row.id)
    if row is None or stored is None:
        return
    changed = stored.sleep(tx.now, zone).wanted is not stored.wanted
    if changed or _is_over(tx, stored):
        let_speak(tx, row, stored, zone)
    else:
        _store(tx, stored, stored.sleep(tx.now, zone))


def _is_over(tx: Tx, stored: StoredSchedule) -> bool:
    return stored.next_check is not None and stored.next_check <= tx.now


def let_speak(tx: Tx, row: Row, stored: StoredSchedule, zone: tzinfo | None) -> None:
    """Store a schedule of a locked worker, and ask of it what that says now."""
    sleep = stored.sleep(tx.now, zone)
    _store(tx, attrs.evolve(stored, wanted=sleep.wanted, changed_at=tx.now), sleep)
    was, pending = WorkerStatus(row.status), worker_rows.request_of(row)
    request = request_by(sleep, stored.schedule, was, pending)
    if was in AWAY or request == pending:
        return
    change_status(tx, row, was, request, "its sleep schedule")
    tx.emit(WorkerUpdated(worker_rows.worker_facts(row, request=request, updated=tx.now)))
    tx.wake(row.uuid)


def _store(tx: Tx, stored: StoredSchedule, sleep: Sleep) -> None:
    until = sleep.until if stored.is_active else None
    sleep_rows.save_schedule(tx, attrs.evolve(stored, checked_at=tx.now, next_check=until))


def request_on_return(tx: Tx, row: Row, now: WorkerStatus, zone: tzinfo | None) -> Request | None:
    """Return what is asked of a worker that comes back and is *now* this.

    What its schedule said while it was away replaces what somebody asked before.
    """
    pending = worker_rows.request_of(row)
    stored = sleep_rows.schedule_of(tx, row.id)
    if stored is None or not (stored.changed_at > row.updated_at or _is_over(tx, stored)):
        return pending
    return request_by(stored.sleep(tx.now, zone), stored.schedule, now, pending)


def scheduled_status(tx: Tx, worker: int, zone: tzinfo | None) -> WorkerStatus:
    """Return what a worker is to be of which nothing else is asked."""
    stored = sleep_rows.schedule_of(tx, worker)
    return stored.sleep(tx.now, zone).wanted if stored else WorkerStatus.AWAKE
