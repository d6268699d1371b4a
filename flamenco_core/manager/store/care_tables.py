"""Tables of what the Manager does for workers by itself; part of the schema in `tables`.

* ``sleep_schedules``: ``spans`` and ``days_off`` are JSON, in the texts of
  `flamenco_core.domain.sleep_words`. ``changed_at`` is when the schedule last spoke,
  ``next_check`` when it will again; it is empty while the schedule is switched off.
  ``tag_id`` is the tag from which it was taken, empty for one of the worker's own.
* ``tag_schedules``: the same for workers with a tag that have none of their own.
* ``status_requests``: what workers were asked to be, by whom, and what came of it. The one
  that is open is in ``workers``, too, where claims look.
* ``worker_removals``: workers that were not heard of for long: when people were told that
  they will be removed, when they were, and when somebody brought them back.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from flamenco_core.manager.store.tables import Id, metadata

__all__ = ["sleep_schedules", "status_requests", "tag_schedules", "worker_removals"]


def _worker() -> Column[int]:
    key = ForeignKey("workers.id", ondelete="CASCADE")
    return Column("worker_id", Id, key, primary_key=True, autoincrement=False)


sleep_schedules = Table(
    "sleep_schedules",
    metadata,
    _worker(),
    Column("is_active", BigInteger, nullable=False),
    Column("is_lazy", BigInteger, nullable=False),
    Column("spans", Text, nullable=False),
    Column("days_off", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("checked_at", BigInteger, nullable=False),
    Column("next_check", BigInteger, nullable=True),
    # No foreign key: when a tag goes, the use case says what its workers follow then.
    Column("tag_id", Id, nullable=True),
    Index(None, "next_check"),
)

tag_schedules = Table(
    "tag_schedules",
    metadata,
    Column(
        "tag_id",
        Id,
        ForeignKey("tags.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("is_active", BigInteger, nullable=False),
    Column("is_lazy", BigInteger, nullable=False),
    Column("spans", Text, nullable=False),
    Column("days_off", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
)

worker_removals = Table(
    "worker_removals",
    metadata,
    _worker(),
    Column("noticed_at", BigInteger, nullable=True),
    Column("removed_at", BigInteger, nullable=True),
    Column("restored_at", BigInteger, nullable=True),
)

status_requests = Table(
    "status_requests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("worker_id", Id, ForeignKey("workers.id", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    Column("is_lazy", BigInteger, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Column("outcome", Text, nullable=False, server_default=""),
    Index(None, "worker_id", "id"),
)
