"""Alembic's entry: run the migrations on the connection that the Manager gives."""

from __future__ import annotations

from alembic import context

# These only join the others.
from flamenco_core.manager.store import (  # noqa: F401
    admission_tables,
    care_tables,
    contact_tables,
    image_tables,
    retention_table,
    trial_tables,
)
from flamenco_core.manager.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True
)
with context.begin_transaction():
    if connection.dialect.name == "sqlite":
        # The driver is in autocommit mode; without this, DDL would commit piece by piece.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # Several Managers may start at once on one PostgreSQL.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7223371)")
    context.run_migrations()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("COMMIT")
