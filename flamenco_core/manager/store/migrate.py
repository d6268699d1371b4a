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
from sqlalchemy import Connection, Engine, text

from flamenco_core.errors import DatabaseError

__all__ = ["upgrade"]

log = logging.getLogger(__name__)

# Alembic keeps what it is at in global variables.
_ONE_AT_A_TIME = threading.Lock()
_FOLDER = Path(__file__).with_name("migrations")


def upgrade(engine: Engine, path: Path | None = None) -> None:
    """Migrate to the newest schema. *path* is SQLite's file; it is copied before.

    Raises `DatabaseError` for a database that a newer Flamenco has written.
    """
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
        if current == scripts.get_current_head():
            return
        _refuse_unknown(scripts, current)
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


def _back_up(connection: Connection, path: Path, revision: str) -> None:
    copy = path.with_name(f"{path.name}.before-migration-from-{revision}")
    copy.unlink(missing_ok=True)
    connection.execute(text("VACUUM INTO :copy"), {"copy": str(copy)})
    connection.commit()
    log.warning("the database is migrated; a copy of the old one is %s", copy)
