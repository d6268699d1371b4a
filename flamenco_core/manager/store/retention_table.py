"""How long jobs are kept, where people have said so; a row for those jobs only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Table, text

from flamenco_core.manager.store.tables import Id, metadata

__all__ = ["retention"]

retention = Table(
    "retention",
    metadata,
    Column(
        "job_id",
        Id,
        ForeignKey("jobs.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    # 1: it is never deleted by itself, whatever the rules of the farm say.
    Column("keep", BigInteger, nullable=False, server_default=text("0")),
    # It is deleted so many seconds after its last change; null: as the rules say.
    Column("seconds", BigInteger, nullable=True),
    # 1: it is archived before it is deleted.
    Column("archive", BigInteger, nullable=False, server_default=text("0")),
)
