"""Blocks that expire."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NEVER = sa.text("9223372036854775807")


def upgrade() -> None:
    """Migrate forward."""
    _let_blocks_expire()


def _let_blocks_expire() -> None:
    by = sa.Column("added_by", sa.Text(), server_default="", nullable=False)
    op.add_column("blocks", by)
    until = sa.Column("expires_at", sa.BigInteger(), server_default=NEVER, nullable=False)
    op.add_column("blocks", until)
    op.create_index(op.f("ix_blocks_expires_at"), "blocks", ["expires_at"])
