"""The tables, and why they look like this.

Claiming a task must cost the same with ten tasks or ten million. So each job has
*lanes*: one for each task type and task priority in it. What a worker may run at all
(tags, task types, blocks) is decided lane by lane; inside a lane any task will do that it
has not failed before. Both steps are a look into an index that holds only what can run.

* ``lanes.open`` is a hint on the safe side: a lane with runnable tasks is always open, an
  open lane without any is closed by the claim that finds it so.
* ``job_rank`` and ``task_rank`` are the priorities with the sign turned: what goes first is
  lower, so a place in the order is one row value that an index can start from.
* ``cursors`` are places in that order, of a worker in one pool: it may run nothing of the
  open lanes before. They spare a worker that is blocked for a thousand jobs to pass them
  again at each claim. Whoever opens a lane removes those that stand behind it.
* ``tasks.ready`` is derived by the database from status and unfinished parents, so it
  cannot be forgotten.
* ``attempts`` are the runs of tasks. One that has not ended is a lease: the unique indexes
  allow one for each task, and one for each slot of a worker.

Times are microseconds since 1970, UTC. JSON is kept as text: the hot path does not read it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "NEVER",
    "attempts",
    "blocks",
    "counters",
    "cursors",
    "dependencies",
    "failures",
    "jobs",
    "lanes",
    "metadata",
    "notes",
    "tags",
    "tasks",
    "worker_tags",
    "workers",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NEVER = 2**63 - 1
"""A moment that does not come."""

# SQLite gives rowids only to INTEGER; PostgreSQL's integer is too small for a big farm.
Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False)


def _text(name: str, *, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _number(name: str, default: int | None = 0) -> Column[int]:
    given = None if default is None else text(str(default))
    return Column(name, BigInteger, nullable=False, server_default=given)


def _maybe(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=True)


def _hot() -> dict[str, Any]:
    """Let PostgreSQL keep room in each page: rows that change often stay where they are.

    What was a row before is cleared away soon, because claims look past it until then.
    """
    return {"postgresql_with": {"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.02}}


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


workers = Table(
    "workers",
    metadata,
    _id(),
    Column("uuid", Text, nullable=False, unique=True),
    _text("secret_hash"),
    _text("name"),
    _text("address"),
    _text("platform"),
    _text("software", default=""),
    _text("status"),
    _text("status_requested", default=""),
    _number("is_lazy"),
    _text("task_types"),
    _number("can_restart"),
    _number("created_at", None),
    _number("updated_at", None),
    _maybe("seen_at"),
    _maybe("deleted_at"),
)

tags = Table(
    "tags",
    metadata,
    _id(),
    Column("uuid", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    _text("description", default=""),
    _number("created_at", None),
    _number("updated_at", None),
)

worker_tags = Table(
    "worker_tags",
    metadata,
    Column("worker_id", Id, ForeignKey("workers.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Id, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "tag_id"),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    Column("uuid", Text, nullable=False, unique=True),
    _text("name"),
    _text("type"),
    _number("priority", 50),
    _text("status"),
    _text("wanted"),
    _number("started"),
    _text("activity", default=""),
    _text("settings"),
    _text("metadata"),
    _text("submitter_platform", default=""),
    _text("shaman_checkout_id", default=""),
    _text("source_hash", default=""),
    _number("tag_id"),
    _number("steps_completed"),
    _number("steps_total"),
    _number("tasks_total"),
    _number("tasks_completed"),
    _number("tasks_failed"),
    _number("tasks_canceled"),
    _number("tasks_paused"),
    _number("created_at", None),
    _number("updated_at", None),
    _maybe("delete_requested_at"),
    Index(None, "tag_id"),
    **_hot(),
)

lanes = Table(
    "lanes",
    metadata,
    _id(),
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    _text("task_type"),
    _number("job_rank", None),
    _number("task_rank", None),
    _number("tag_id"),
    _number("turn"),
    _number("open"),
    UniqueConstraint("job_id", "task_type", "task_rank"),
    Index(None, "turn"),
    **_hot(),
)
Index(
    "ix_lanes_open",
    lanes.c.tag_id,
    lanes.c.task_type,
    lanes.c.job_rank,
    lanes.c.task_rank,
    lanes.c.turn,
    lanes.c.id,
    **_where("open = 1"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("worker_id", Id, ForeignKey("workers.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Id, primary_key=True),
    Column("task_type", Text, primary_key=True),
    _number("job_rank", None),
    _number("task_rank", None),
    _number("turn", None),
    _number("lane_id", None),
    Index(None, "tag_id", "task_type"),
)

tasks = Table(
    "tasks",
    metadata,
    _id(),
    Column("uuid", Text, nullable=False, unique=True),
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    # No foreign key: with the index for claims alone, each lane of a job that is deleted
    # would be looked for in all tasks of the farm.
    Column("lane_id", Id, nullable=False),
    _number("index_in_job", None),
    _text("name"),
    _text("type"),
    _number("priority", 50),
    _text("status"),
    _number("epoch"),
    _number("seq"),
    _number("lost_count"),
    _number("unfinished_parents"),
    _number("has_children"),
    Column(
        "ready",
        Integer,
        Computed(
            "CASE WHEN status IN ('queued', 'soft-failed') AND unfinished_parents = 0"
            " THEN 1 ELSE 0 END",
            persisted=True,
        ),
    ),
    _maybe("worker_id"),
    _text("activity", default=""),
    _text("commands"),
    _number("steps_completed"),
    _number("steps_total"),
    _number("created_at", None),
    _number("updated_at", None),
    _maybe("touched_at"),
    UniqueConstraint("job_id", "index_in_job"),
    **_hot(),
)
Index("ix_tasks_ready", tasks.c.lane_id, tasks.c.id, **_where("ready = 1"))
Index("ix_tasks_active", tasks.c.job_id, **_where("status = 'active'"))

dependencies = Table(
    "dependencies",
    metadata,
    Column("task_id", Id, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("parent_id", Id, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "parent_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("task_id", Id, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    _number("worker_id", None),
    _number("slot"),
    _number("started_at", None),
    _maybe("ended_at"),
    Column("outcome", Text, nullable=True),
    Index(None, "worker_id", "started_at"),
)
Index("uq_attempts_lease_of_task", attempts.c.task_id, unique=True, **_where("ended_at IS NULL"))
Index(
    "uq_attempts_lease_of_slot",
    attempts.c.worker_id,
    attempts.c.slot,
    unique=True,
    **_where("ended_at IS NULL"),
)

failures = Table(
    "failures",
    metadata,
    Column("task_id", Id, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("worker_id", Id, primary_key=True),
    _number("created_at", None),
    Index(None, "worker_id"),
)

blocks = Table(
    "blocks",
    metadata,
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("worker_id", Id, primary_key=True),
    Column("task_type", Text, primary_key=True),
    _text("reason", default=""),
    _number("created_at", None),
    _text("added_by", default=""),
    # A number in any case: one comparison says who is still blocked.
    _number("expires_at", NEVER),
    Index(None, "worker_id"),
    Index(None, "expires_at"),
)

notes = Table(
    "notes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("task_id", Id, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    _number("epoch"),
    _number("at", None),
    _text("text"),
    Index(None, "task_id"),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    _number("value"),
)
