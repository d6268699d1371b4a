"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Migrate forward."""
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "jobs",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("priority", sa.BigInteger(), server_default=sa.text("(50)"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("activity", sa.Text(), server_default="", nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("submitter_platform", sa.Text(), server_default="", nullable=False),
        sa.Column("shaman_checkout_id", sa.Text(), server_default="", nullable=False),
        sa.Column("source_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("tag_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("steps_completed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("steps_total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tasks_total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tasks_completed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tasks_failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tasks_canceled", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tasks_paused", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("delete_requested_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("uuid", name=op.f("uq_jobs_uuid")),
        postgresql_with={"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.02},
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_jobs_tag_id"), ["tag_id"], unique=False)

    op.create_table(
        "tags",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name", name=op.f("uq_tags_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_tags_uuid")),
    )
    op.create_table(
        "workers",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_requested", sa.Text(), server_default="", nullable=False),
        sa.Column("is_lazy", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("task_types", sa.Text(), nullable=False),
        sa.Column("can_restart", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        sa.UniqueConstraint("uuid", name=op.f("uq_workers_uuid")),
    )
    op.create_table(
        "blocks",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_blocks_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "worker_id", "task_type", name=op.f("pk_blocks")),
    )
    with op.batch_alter_table("blocks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_blocks_worker_id"), ["worker_id"], unique=False)

    op.create_table(
        "lanes",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("job_rank", sa.BigInteger(), nullable=False),
        sa.Column("task_rank", sa.BigInteger(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("turn", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("open", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_lanes_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lanes")),
        sa.UniqueConstraint(
            "job_id",
            "task_type",
            "task_rank",
            name=op.f("uq_lanes_job_id_task_type_task_rank"),
        ),
        postgresql_with={"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.02},
    )
    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_lanes_open",
            [
                "tag_id",
                "task_type",
                "job_rank",
                "task_rank",
                "turn",
                "id",
            ],
            unique=False,
            sqlite_where=sa.text("open = 1"),
            postgresql_where=sa.text("open = 1"),
        )
        batch_op.create_index(batch_op.f("ix_lanes_turn"), ["turn"], unique=False)

    op.create_table(
        "cursors",
        sa.Column(
            "worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("job_rank", sa.BigInteger(), nullable=False),
        sa.Column("task_rank", sa.BigInteger(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("lane_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["workers.id"], name=op.f("fk_cursors_worker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("worker_id", "tag_id", "task_type", name=op.f("pk_cursors")),
    )
    with op.batch_alter_table("cursors", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_cursors_tag_id_task_type"), ["tag_id", "task_type"], unique=False
        )

    op.create_table(
        "worker_tags",
        sa.Column(
            "worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_worker_tags_tag_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["workers.id"], name=op.f("fk_worker_tags_worker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("worker_id", "tag_id", name=op.f("pk_worker_tags")),
    )
    with op.batch_alter_table("worker_tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_worker_tags_tag_id"), ["tag_id"], unique=False)

    op.create_table(
        "tasks",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lane_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("index_in_job", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("priority", sa.BigInteger(), server_default=sa.text("(50)"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lost_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "unfinished_parents", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("has_children", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "ready",
            sa.Integer(),
            sa.Computed(
                "CASE WHEN status IN ('queued', 'soft-failed') AND unfinished_parents = 0 THEN 1 ELSE 0 END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column("worker_id", sa.BigInteger(), nullable=True),
        sa.Column("activity", sa.Text(), server_default="", nullable=False),
        sa.Column("commands", sa.Text(), nullable=False),
        sa.Column("steps_completed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("steps_total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_tasks_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("job_id", "index_in_job", name=op.f("uq_tasks_job_id_index_in_job")),
        sa.UniqueConstraint("uuid", name=op.f("uq_tasks_uuid")),
        postgresql_with={"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.02},
    )
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_tasks_active",
            ["job_id"],
            unique=False,
            sqlite_where=sa.text("status = 'active'"),
            postgresql_where=sa.text("status = 'active'"),
        )
        batch_op.create_index(
            "ix_tasks_ready",
            ["lane_id", "id"],
            unique=False,
            sqlite_where=sa.text("ready = 1"),
            postgresql_where=sa.text("ready = 1"),
        )

    op.create_table(
        "attempts",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_attempts_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "epoch", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attempts_worker_id_started_at"),
            ["worker_id", "started_at"],
            unique=False,
        )
        batch_op.create_index(
            "uq_attempts_lease_of_slot",
            ["worker_id", "slot"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "uq_attempts_lease_of_task",
            ["task_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "dependencies",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["tasks.id"], name=op.f("fk_dependencies_parent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_dependencies_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "parent_id", name=op.f("pk_dependencies")),
    )
    with op.batch_alter_table("dependencies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dependencies_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "failures",
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "worker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_failures_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "worker_id", name=op.f("pk_failures")),
    )
    with op.batch_alter_table("failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_failures_worker_id"), ["worker_id"], unique=False)

    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_notes_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notes_task_id"), ["task_id"], unique=False)

    # One row for each table whose ids are reserved; see store/ids.py.
    for table in ("jobs", "lanes", "tasks", "workers", "tags"):
        op.execute(f"INSERT INTO counters (name, value) VALUES ('{table}', 0)")
