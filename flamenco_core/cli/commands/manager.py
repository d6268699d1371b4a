"""``flamenco manager``: this machine runs the farm."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from flamenco_core.cli.context import debug_option, settings_options
from flamenco_core.cli.logs import LEVELS, start_logging
from flamenco_core.cli.settings import manager_settings
from flamenco_core.errors import FlamencoError

__all__ = ["explained", "manager"]

_EXTRA = {"alembic", "litestar", "sqlalchemy", "uvicorn"}


@click.command()
@settings_options
@click.option("--listen", metavar="HOST:PORT", help="Where to serve; ':8080' is all networks.")
@click.option("--database", metavar="URL", help="A file, or postgresql+psycopg://...")
@click.option("--shared", metavar="DIR", help="Folder that all machines of the farm share.")
@click.option("--strict", is_flag=True, help="Stop at the first broken plugin.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True)
@debug_option
def manager(log_level: str, strict: bool, **given: Any) -> None:
    """Run a Manager on this machine.

    An option wins over the environment (FLAMENCO_LISTEN and so on), that over the
    settings file, that over the default.
    """
    start_logging(log_level)
    with explained():
        loaded = manager_settings(**given, strict=strict)
        from flamenco_core.config.listing import without_effect
        from flamenco_core.manager import create_manager
        from flamenco_core.manager.first_start.protection import HOW_TO_SET_UP
        from flamenco_core.manager.server import serve

        app = create_manager(loaded, strict=loaded.settings.strict)
        # After the plugins have taken their sections: only what nobody wants is unknown.
        for remark in (*loaded.notes, *loaded.unknown()):
            click.echo(f"flamenco: {remark}", err=True)
        if loaded.settings.is_first_run:
            click.echo(f"flamenco: {HOW_TO_SET_UP}", err=True)
        if unused := without_effect(loaded):
            click.echo(f"flamenco: settings without effect yet: {', '.join(unused)}", err=True)
        serve(app, *loaded.settings.host_and_port, on_ready=_announce)


def _announce(url: str) -> None:
    click.echo(f"the Manager is ready at {url}")
    # A pipe is written in blocks; whoever starts us waits for this line.
    sys.stdout.flush()


@contextmanager
def explained() -> Iterator[None]:
    """Say how to get the packages that only a Manager needs."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise FlamencoError(
            f"a Manager needs {error.name}; pip install 'flamenco-core[manager]'"
        ) from error
