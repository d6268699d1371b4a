"""Tables of what was rendered last; part of the schema in `tables`.

``images`` are those that are shown: the newest of each task, and the last few of each job.
Their files have the name ``uuid``. Ids grow, so the newest has the greatest.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from flamenco_core.manager.store.tables import Id, metadata

__all__ = ["images"]

images = Table(
    "images",
    metadata,
    Column("id", Id, primary_key=True),
    Column("uuid", Text, nullable=False),
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("task_id", Id, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("frame", BigInteger, nullable=True),
    Column("stored_at", BigInteger, nullable=False),
    Index(None, "job_id", "id"),
    Index(None, "task_id", "id"),
)
