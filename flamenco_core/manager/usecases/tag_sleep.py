"""Let workers without a sleep schedule of their own follow that of a tag.

A worker's own schedule wins, even one that is switched off. Of several tags the first by
name counts. What a worker follows is stored with it, so whoever lets schedules speak need
not know of tags.
"""

from __future__ import annotations

from datetime import tzinfo

import attrs

from flamenco_core.errors import NotFound
from flamenco_core.manager.store import sleep as sleep_rows
from flamenco_core.manager.store import tag_schedules as rows
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.sleep import StoredSchedule
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases.sleep import ScheduleChange, let_speak

__all__ = [
    "follow_tags",
    "forget_own_schedule",
    "forget_tag_schedule",
    "get_tag_schedule",
    "set_tag_schedule",
]


def get_tag_schedule(tx: Tx, tag_id: str, zone: tzinfo | None) -> StoredSchedule | None:
    """Return the schedule of a tag, and what it says now; raises `NotFound` for no tag."""
    stored = rows.tag_schedule_of(tx, _tag(tx, tag_id))
    if stored is None:
        return None
    sleep = stored.sleep(tx.now, zone)
    until = sleep.until if stored.is_active else None
    return attrs.evolve(stored, wanted=sleep.wanted, next_check=until)


def set_tag_schedule(tx: Tx, tag_id: str, change: ScheduleChange, zone: tzinfo | None) -> None:
    """Give a tag a schedule, or another one; it acts at once. Raises `NotFound`."""
    tag = _tag(tx, tag_id)
    old = rows.tag_schedule_of(tx, tag) or StoredSchedule(worker_id=rows.NOBODY, tag_id=tag)
    rows.save_tag_schedule(tx, change.made_to(old))
    _tell_workers(tx, tag, zone)


def forget_tag_schedule(tx: Tx, tag_id: str, zone: tzinfo | None) -> None:
    """Let a tag have no schedule any more; raises `NotFound`."""
    tag = _tag(tx, tag_id)
    rows.remove_tag_schedule(tx, tag)
    _tell_workers(tx, tag, zone)


def forget_own_schedule(tx: Tx, worker_id: str, zone: tzinfo | None) -> None:
    """Let a worker follow its tags, or nothing; raises `NotFound`."""
    row = worker_rows.lock_worker(tx, worker_id)
    stored = sleep_rows.schedule_of(tx, row.id)
    if stored is None or stored.tag_id is not None:
        return
    # As if it came from a tag that is gone.
    sleep_rows.save_schedule(tx, attrs.evolve(stored, tag_id=0))
    follow_tags(tx, worker_id, zone)


def follow_tags(tx: Tx, worker_id: str, zone: tzinfo | None) -> None:
    """Let a worker without a schedule of its own follow that which its tags have now."""
    row = worker_rows.find_worker(tx, worker_id)
    old = row and sleep_rows.schedule_of(tx, row.id)
    if row is None or (old is not None and old.tag_id is None):
        return
    new = rows.first_of_worker(tx, row.id)
    if new is not None and not (old and _is_same(old, new)):
        let_speak(tx, row, new, zone)
    elif new is None and old is not None:
        # It says for the last time that the worker may be awake.
        let_speak(tx, row, attrs.evolve(old, is_active=False), zone)
        sleep_rows.remove_schedule(tx, row.id)


def _is_same(old: StoredSchedule, new: StoredSchedule) -> bool:
    """Say whether two schedules are one, wherever they stand in it."""
    return new == attrs.evolve(
        old,
        wanted=new.wanted,
        changed_at=new.changed_at,
        checked_at=new.checked_at,
        next_check=new.next_check,
    )


def _tell_workers(tx: Tx, tag: int, zone: tzinfo | None) -> None:
    for worker in sorted(tag_rows.workers_of_tag(tx, tag)):
        follow_tags(tx, worker, zone)


def _tag(tx: Tx, tag_id: str) -> int:
    row = tag_rows.tag_by_uuid(tx, tag_id)
    # Held, so that it is not deleted while its workers are told.
    if row is None or not tag_rows.hold_tag(tx, row.id):
        raise NotFound(f"there is no worker tag {tag_id}")
    return int(row.id)
