"""When workers were heard of, on a database that several Managers share.

Not in ``workers``: claims lock those rows. Times are microseconds of the database's clock,
the only one that all Managers see.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Table

from flamenco_core.manager.store.tables import Id, metadata

__all__ = ["contacts"]

contacts = Table(
    "contacts",
    metadata,
    Column(
        "worker_id",
        Id,
        ForeignKey("workers.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("heard_at", BigInteger, nullable=False),
    Column("patience", BigInteger, nullable=False),
    postgresql_with={"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02},
)
