"""``flamenco apply``: make a farm as a file says it should be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flamenco_core.cli.asking import confirm_loss
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import print_json
from flamenco_core.errors import ConfigError

if TYPE_CHECKING:
    from flamenco_core.cli.provision.farm import Provision
    from flamenco_core.cli.provision.plan import Change

__all__ = ["apply"]

WOULD_CHANGE = 3
INCOMPLETE = 4


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--dry-run", "--diff", "dry_run", is_flag=True, help="Show what would change; change nothing."
)
@click.option("--prune", is_flag=True, help="Remove tags and variables that FILE does not have.")
@click.option("--yes", is_flag=True, help="Do not ask before something is removed.")
@as_json
@asks_manager
@pass_cli
@click.pass_context
def apply(context: click.Context, cli: Cli, /, file: Path, as_json: bool, **how: bool) -> None:
    r"""Make tags, workers, variables and settings of a farm as FILE says.

    Only what differs is changed, and a second time there is nothing to do. What FILE does
    not mention stays as it is.

    \b
    Exit codes: 0  the farm is as FILE says
                1  something is wrong; the message says what
                2  the command line is wrong
                3  with --dry-run: something would change
                4  the rest is done, but some workers have never called the Manager
    """
    from flamenco_core.cli.provision.farm import Provision
    from flamenco_core.cli.provision.farm_file import read_farm_file

    try:
        wanted = read_farm_file(file)
    except ConfigError as error:
        # One line for each mistake: there may be many, and each has its place.
        click.echo(str(error), err=True)
        context.exit(1)
    with cli.client(timeout=60.0) as client:
        found = Provision.of(client, wanted, prune=how["prune"])
        if not as_json:
            _show(found)
        waiting: list[str] = []
        if found.changes and not how["dry_run"]:
            _ask(found.changes, yes=how["yes"])
            waiting = found.carry_out()
    _tell(found, waiting, dry_run=how["dry_run"], as_json=as_json)
    context.exit(_code(found, dry_run=how["dry_run"]))


def _code(found: Provision, *, dry_run: bool) -> int:
    if dry_run and found.changes:
        return WOULD_CHANGE
    return INCOMPLETE if found.missing else 0


def _ask(changes: Sequence[Change], *, yes: bool) -> None:
    if gone := [change.name for change in changes if change.sign == "-"]:
        confirm_loss(f"remove {', '.join(gone)}", yes=yes)


def _show(found: Provision) -> None:
    from flamenco_core.cli.provision.words import in_words

    for change in found.changes:
        click.echo(in_words(change))
    for name in found.missing:
        where = found.file.line_of(f"workers.{name}")
        click.echo(f"{where}: no worker {name!r} has ever called; start it, then again", err=True)


def _tell(found: Provision, waiting: list[str], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "changed": bool(found.changes),
                "dry_run": dry_run,
                "changes": found.changes,
                "missing_workers": found.missing,
                "restart_needed": waiting,
            }
        )
        return
    count = len(found.changes)
    things = "1 change" if count == 1 else f"{count} changes"
    done = f"{things} would be made" if dry_run else f"{things} made"
    click.echo(done if count else "nothing to do", err=True)
    if waiting:
        click.echo(f"restart the Manager to let these count: {', '.join(waiting)}", err=True)
