"""What was rendered last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Migrate forward."""
    op.create_table(
        "images",
        sa.Column("id", Id, nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("task_id", Id, nullable=False),
        sa.Column("frame", sa.BigInteger(), nullable=True),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        _to("jobs", "job_id"),
        _to("tasks", "task_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
    )
    op.create_index(op.f("ix_images_job_id_id"), "images", ["job_id", "id"])
    op.create_index(op.f("ix_images_task_id_id"), "images", ["task_id", "id"])


def _to(table: str, column: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_images_{column}")
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name, ondelete="CASCADE")
