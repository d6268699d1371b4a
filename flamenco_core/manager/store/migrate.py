"""Bring a database's schema up to date, with a copy of it made first.

Migrations are Alembic's. Each runs in one transaction, so a crash leaves the old schema or
the new one.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from alembic.command import upgrade as alembic_upgrade
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from flamenco_core.errors import DatabaseError
from flamenco_core.manager.store.sqlite_backup import back_up
from flamenco_core.manager.store.tables import metadata

__all__ = ["upgrade"]

log = logging.getLogger(__name__)

# Alembic keeps what it is at in global variables.
_ONE_AT_A_TIME = threading.Lock()
_FOLDER = Path(__file__).with_name("migrations")


def upgrade(engine: Engine, path: Path | None = None) -> None:
    """Migrate to the newest schema. *path* is SQLite's file; it is copied before.

    Raises `DatabaseError` for a database that a newer Flamenco, or another program, has
    written.
    """
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        tables = set(inspect(connection).get_table_names()) if current is None else set()
        connection.rollback()
        if current == scripts.get_current_head():
            return
        _refuse_unknown(scripts, current)
        _refuse_foreign(tables)
        if current is not None and path is not None:
            _back_up(connection, path, current)
        config.attributes["connection"] = connection
        with _ONE_AT_A_TIME:
            alembic_upgrade(config, "head")


def _refuse_unknown(scripts: ScriptDirectory, current: str | None) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise DatabaseError(
            f"the database has schema {current!r}, which this version does not know;"
            " use the newer Flamenco that wrote it, or restore a backup"
        )


def _refuse_foreign(tables: set[str]) -> None:
    if not tables & {"goose_db_version", *metadata.tables}:
        return
    whose = "Flamenco 3's own" if "goose_db_version" in tables else "another program's"
    raise DatabaseError(
        f"the database has tables but no schema version of ours: it is {whose}, and is left"
        " alone; set another 'database:'"
    )


def _back_up(connection: Connection, path: Path, revision: str) -> None:
    copy = path.with_name(f"{path.name}.before-migration-from-{revision}")
    # One of an attempt that broke off is of the same state: nothing was written since.
    copy.unlink(missing_ok=True)
    back_up(connection.connection.dbapi_connection, copy)
    connection.rollback()
    log.warning("the database is migrated; a copy of the old one is %s", copy)
