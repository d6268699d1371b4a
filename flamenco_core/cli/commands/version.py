"""``flamenco version``: ours, and the Manager's if it can be reached."""

from __future__ import annotations

import platform

import click

from flamenco_core import __version__
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import print_json

__all__ = ["version"]


@click.command()
@as_json
@asks_manager
@pass_cli
def version(cli: Cli, as_json: bool) -> None:
    """Show the versions of this program and of the Manager."""
    theirs = _managers(cli)
    if as_json:
        ours = {"flamenco": __version__, "python": platform.python_version()}
        print_json(ours | {"manager": theirs, "url": cli.url})
        return
    click.echo(f"flamenco {__version__} (Python {platform.python_version()}, {platform.system()})")
    click.echo(f"Manager  {theirs or 'not reachable'} at {cli.url}")


def _managers(cli: Cli) -> str | None:
    from flamenco_core.errors import FlamencoError

    try:
        with cli.client(timeout=1.0) as client:
            found = client.version()
    except FlamencoError:
        return None
    return f"{found.version} ({found.name})"
