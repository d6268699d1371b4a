"""Blocks that expire, sleep schedules of tags, and what workers were asked to be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEVER = sa.text("9223372036854775807")


def upgrade() -> None:
    """Migrate forward."""
    _let_blocks_expire()
    _let_tags_have_schedules()
    _remember_requests()


def _let_blocks_expire() -> None:
    by = sa.Column("added_by", sa.Text(), server_default="", nullable=False)
    op.add_column("blocks", by)
    until = sa.Column("expires_at", sa.BigInteger(), server_default=NEVER, nullable=False)
    op.add_column("blocks", until)
    op.create_index(op.f("ix_blocks_expires_at"), "blocks", ["expires_at"])


def _let_tags_have_schedules() -> None:
    op.add_column("sleep_schedules", sa.Column("tag_id", Id, nullable=True))
    op.create_table(
        "tag_schedules",
        sa.Column("tag_id", Id, autoincrement=False, nullable=False),
        sa.Column("is_active", sa.BigInteger(), nullable=False),
        sa.Column("is_lazy", sa.BigInteger(), nullable=False),
        sa.Column("spans", sa.Text(), nullable=False),
        sa.Column("days_off", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_tag_schedules_tag_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tag_id", name=op.f("pk_tag_schedules")),
    )


def _remember_requests() -> None:
    op.create_table(
        "status_requests",
        sa.Column("id", Id, nullable=False),
        sa.Column("worker_id", Id, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("is_lazy", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"],
            ["workers.id"],
            name=op.f("fk_status_requests_worker_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_requests")),
    )
    index = op.f("ix_status_requests_worker_id_id")
    op.create_index(index, "status_requests", ["worker_id", "id"])
