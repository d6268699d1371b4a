"""``flamenco db``: copies of the Manager's database, and whether it is sound."""

from __future__ import annotations

from pathlib import Path

import click

from flamenco_core.cli.commands.manager import explained
from flamenco_core.cli.context import debug_option
from flamenco_core.errors import FlamencoError

__all__ = ["db"]


@click.group()
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Manager's settings.  [default: flamenco-manager.yaml here, if it is there]",
)
@click.option("--database", metavar="URL", help="A file, or postgresql+psycopg://...")
@debug_option
@click.pass_context
def db(context: click.Context, config: Path | None, database: str | None) -> None:
    """Back up, check or restore the Manager's database.

    It is the one of the settings file, unless --database names another.
    """
    with explained():
        from flamenco_core.cli.settings import must_exist
        from flamenco_core.manager.settings import load_manager_settings

        given = {"database": database and _from_here(database)}
        loaded = load_manager_settings(must_exist(config), overrides=given)
        context.obj = context.obj, loaded.settings.database


def _from_here(database: str) -> str:
    return database if "://" in database else str(Path(database).absolute())


def _database() -> str:
    return str(click.get_current_context().obj[1])


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@debug_option
def backup(file: Path) -> None:
    """Copy the database to FILE, which must not exist; a Manager may run meanwhile."""
    from flamenco_core.manager.store import upkeep

    upkeep.back_up(_database(), file)
    click.echo(f"{file} is a backup of {_shown()}, {file.stat().st_size:,} bytes")


@db.command()
@debug_option
def check() -> int:
    """Read all of the database and say what is wrong with it; a Manager may run meanwhile.

    The exit code is 1 if it is damaged.
    """
    from flamenco_core.manager.store import upkeep

    damage = upkeep.find_damage(_database())
    for words in damage:
        click.echo(words)
    if damage:
        raise FlamencoError(f"{_shown()} is damaged. {upkeep.way_back(_database())}")
    click.echo(f"{_shown()} is sound")
    return 0


@db.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@debug_option
def restore(file: Path | None) -> None:
    """Make FILE, or the newest automatic backup, the database again.

    No Manager may run. What was there before is kept under another name.
    """
    from flamenco_core.clock import SystemClock
    from flamenco_core.manager.store import upkeep

    source, aside = upkeep.restore(_database(), file, SystemClock().now())
    click.echo(f"{_shown()} is again what it was in {source}")
    if aside is not None:
        click.echo(f"what it was until now is kept in {aside}")


def _shown() -> str:
    from flamenco_core.manager.store import upkeep

    return upkeep.shown(_database())
