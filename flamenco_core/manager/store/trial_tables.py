"""Tables of the tests of workers; part of the schema in `tables`.

``worker_tests`` are what people asked for, ``trials`` the steps of each, which workers get
as if they were tasks. ``open`` is 1 while a trial waits or runs: claims look into an index
of these alone. ``picture`` is base64, and small.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, text

from flamenco_core.manager.store.tables import Id, metadata

__all__ = ["trials", "worker_tests"]

worker_tests = Table(
    "worker_tests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("uuid", Text, nullable=False, unique=True),
    Column("worker_id", Id, ForeignKey("workers.id", ondelete="CASCADE"), nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Index(None, "worker_id", "asked_at"),
)

trials = Table(
    "trials",
    metadata,
    Column("id", Id, primary_key=True),
    Column("uuid", Text, nullable=False, unique=True),
    Column("test_id", Id, ForeignKey("worker_tests.id", ondelete="CASCADE"), nullable=False),
    Column("worker_id", Id, ForeignKey("workers.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("task_type", Text, nullable=False),
    Column("commands", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("open", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("seq", BigInteger, nullable=False, server_default=text("0")),
    Column("started_at", BigInteger, nullable=True),
    Column("ended_at", BigInteger, nullable=True),
    Column("words", Text, nullable=False, server_default=""),
    Column("version", Text, nullable=False, server_default=""),
    Column("log", Text, nullable=False, server_default=""),
    Column("picture", Text, nullable=False, server_default=""),
    Index(None, "test_id"),
)
Index(
    "ix_trials_open",
    trials.c.worker_id,
    trials.c.id,
    sqlite_where=text("open = 1"),
    postgresql_where=text("open = 1"),
)
