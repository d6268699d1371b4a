"""Copies of a PostgreSQL database, made and put back by PostgreSQL's own programs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from flamenco_core.errors import DatabaseError, NotFound

__all__ = ["back_up", "damage_in", "put_back"]

_NEEDED = ("alembic_version", "jobs", "tasks", "workers")


def back_up(url: str, target: Path) -> None:
    """Write a dump of the database, of one moment, while Managers go on.

    Raises `DatabaseError`, with the command to run elsewhere if there is no pg_dump here.
    """
    if target.exists():
        raise DatabaseError(f"{target} exists already; name another file for the backup")
    unfinished = target.with_name(f".{target.name}.part")
    try:
        _run(
            url, "pg_dump", "--format=custom", "--no-owner", "--file", str(unfinished), show=target
        )
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)


def damage_in(url: str) -> list[str]:
    """Return what is wrong with the database as far as a client can see; mostly nothing."""
    with _connected(url) as connection:
        found = _tables(connection)
    return [f"there is no table {name}" for name in _NEEDED if name not in found]


def put_back(url: str, dump: Path, aside: Path) -> Path | None:
    """Make what is in *dump* the database; what was there before is dumped to *aside*.

    Returns *aside*, or None if there was nothing. Raises `DatabaseError`, also while
    somebody uses the database.
    """
    if not dump.is_file():
        raise NotFound(f"there is no backup {dump}")
    contents = _run(url, "pg_restore", "--list", str(dump), connects=False)
    if " TABLE public jobs " not in contents:
        raise DatabaseError(f"{dump} is no backup of a Manager; choose another file")
    with _connected(url) as connection:
        _refuse_users(connection)
        ours = _tables(connection)
    if ours:
        back_up(url, aside)
    _drop(url, ours)
    try:
        _run(
            url,
            "pg_restore",
            "--single-transaction",
            "--no-owner",
            "--dbname",
            _plain(url),
            str(dump),
        )
    except DatabaseError as error:
        kept = f"; the database is empty now, and what it was is in {aside}" if ours else ""
        raise DatabaseError(f"{error}{kept}") from error
    return aside if ours else None


def _refuse_users(connection: psycopg.Connection) -> None:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    ).fetchone()
    if row and row[0]:
        raise DatabaseError(f"{row[0]} connections use the database; stop all its Managers first")


def _tables(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    ).fetchall()
    return [row[0] for row in rows]


def _drop(url: str, tables: list[str]) -> None:
    # Not by pg_restore: it knows the dump's tables only, not what a newer schema has added.
    # All of it is in the dump that was just made, whoever's it is.
    with _connected(url) as connection:
        for name in tables:
            connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(name)))


def _connected(url: str) -> psycopg.Connection:
    try:
        return psycopg.connect(url.replace("postgresql+psycopg", "postgresql", 1))
    except psycopg.OperationalError as error:
        raise DatabaseError(f"cannot use {_plain(url)}: {error}") from error


def _plain(url: str) -> str:
    """Return the address without its password: everybody sees a program's arguments."""
    address = make_url(url).set(drivername="postgresql")
    return address._replace(password=None).render_as_string()


def _run(
    url: str, program: str, *arguments: str, connects: bool = True, show: Path | None = None
) -> str:
    if connects and "--dbname" not in arguments:
        arguments = (*arguments, "--dbname", _plain(url))
    password = make_url(url).password
    env = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    found = shutil.which(program)
    if found is None:
        shown = shlex.join([program, *arguments])
        shown = shown.replace(f".{show.name}.part", show.name) if show else shown
        raise DatabaseError(
            f"{program} is not here; install PostgreSQL's client programs (Debian: apt-get"
            f" install postgresql-client), or run where they are: {shown}"
        )
    done = subprocess.run([found, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DatabaseError(f"{program} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout
