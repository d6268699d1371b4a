"""Tables of how workers get in and stay in; part of the schema in `tables`.

* ``admissions``: what is known of a worker besides its row: the machine it runs on, as far
  as that says so; whether a person has yet to approve it; its former secret, which counts
  for a while after it was changed; and whether it was asked to change it. A worker of which
  nothing of that is known has no row.
* ``registration_tokens``: what lets machines join, by the public part of each token. Of the
  secret part only the hash is here.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from flamenco_core.manager.store.tables import Id, metadata

__all__ = ["admissions", "registration_tokens"]

admissions = Table(
    "admissions",
    metadata,
    Column(
        "worker_id",
        Id,
        ForeignKey("workers.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("machine", Text, nullable=False),
    Column("is_pending", BigInteger, nullable=False),
    Column("former_hash", Text, nullable=False),
    Column("former_until", BigInteger, nullable=False),
    Column("must_rotate", BigInteger, nullable=False),
    Index(None, "machine"),
)

registration_tokens = Table(
    "registration_tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("secret_hash", Text, nullable=False),
    Column("tag_id", Id, ForeignKey("tags.id", ondelete="SET NULL"), nullable=True),
    Column("uses", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger, nullable=True),
)
