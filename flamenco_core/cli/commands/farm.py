"""``flamenco farm``: a Manager and a Worker on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from flamenco_core.cli.context import Cli, debug_option, pass_cli

__all__ = ["farm"]


@click.command()
@click.option(
    "--data",
    default="flamenco-farm",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for everything the farm keeps.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port of the Manager; another one is taken if it is not free, 0 means any.",
)
@debug_option
@pass_cli
def farm(cli: Cli, data: Path, port: int) -> None:
    """Run a Manager and a Worker on this machine.

    Both end with this command. Nobody else can reach them; 'flamenco manager' and
    'flamenco worker' are for a farm of several machines.
    """
    from flamenco_core.cli.farm.children import Children, free_port
    from flamenco_core.cli.farm.local import LocalFarm

    with Children() as children:
        local = LocalFarm(cli=cli, children=children, folder=data.absolute(), port=free_port(port))
        local.start()
        local.wait_until_ready()
        click.echo(f"the farm is ready at {local.url}; Ctrl+C ends it")
        while True:
            children.check()
            cli.pause(0.5)
