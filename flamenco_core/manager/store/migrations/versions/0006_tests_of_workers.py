"""Tests of workers, and the trials that they consist of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Migrate forward."""
    _make_tests()
    _make_trials()


def _make_tests() -> None:
    op.create_table(
        "worker_tests",
        sa.Column("id", Id, nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("worker_id", Id, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        _to("worker_tests", "worker_id", "workers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_tests")),
        sa.UniqueConstraint("uuid", name=op.f("uq_worker_tests_uuid")),
    )
    index = op.f("ix_worker_tests_worker_id_asked_at")
    op.create_index(index, "worker_tests", ["worker_id", "asked_at"])


def _make_trials() -> None:
    op.create_table(
        "trials",
        sa.Column("id", Id, nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("test_id", Id, nullable=False),
        sa.Column("worker_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("commands", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("log", sa.Text(), server_default="", nullable=False),
        sa.Column("picture", sa.Text(), server_default="", nullable=False),
        _to("trials", "test_id", "worker_tests"),
        _to("trials", "worker_id", "workers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trials")),
        sa.UniqueConstraint("uuid", name=op.f("uq_trials_uuid")),
    )
    op.create_index(op.f("ix_trials_test_id"), "trials", ["test_id"])
    op.create_index(
        "ix_trials_open",
        "trials",
        ["worker_id", "id"],
        sqlite_where=sa.text("open = 1"),
        postgresql_where=sa.text("open = 1"),
    )


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")
