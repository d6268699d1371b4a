"""``flamenco workers approve``, ``reject``, ``rotate``, ``merge`` and ``variables``."""

from __future__ import annotations

import click

from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import print_json, print_table, short

__all__ = ["approve", "merge", "reject", "rotate", "variables"]

_several = click.argument("workers", metavar="WORKER...", nargs=-1, required=True)


@click.command()
@_several
@click.option("--tag", metavar="NAME", help="A tag that they get.")
@asks_manager
@pass_cli
def approve(cli: Cli, workers: tuple[str, ...], tag: str | None) -> None:
    """Let Workers in that wait for approval."""
    from flamenco_core.cli.worker_ids import find_worker
    from flamenco_core.client.workers import WorkersClient

    with cli.client() as client:
        # All are found before the first is let in: a typing error changes nothing.
        for one in [find_worker(client, text) for text in workers]:
            WorkersClient(client).approve(one.id, tag)
            was = "is approved" if one.pending_approval else "was in already"
            click.echo(f"worker {short(one.id)} ({one.name}) {was}")


@click.command()
@_several
@asks_manager
@pass_cli
def reject(cli: Cli, workers: tuple[str, ...]) -> None:
    """Send Workers away that wait for approval."""
    from flamenco_core.cli.worker_ids import find_worker
    from flamenco_core.client.workers import WorkersClient

    with cli.client() as client:
        for one in [find_worker(client, text) for text in workers]:
            WorkersClient(client).reject(one.id)
            click.echo(f"worker {short(one.id)} ({one.name}) is rejected")


@click.command()
@_several
@asks_manager
@pass_cli
def rotate(cli: Cli, workers: tuple[str, ...]) -> None:
    """Ask Workers to change the secret that they show the Manager.

    They do so at their next call, and every 30 days by themselves. Flamenco 3's own Workers
    cannot: delete them, and let them register anew.
    """
    from flamenco_core.cli.worker_ids import find_worker
    from flamenco_core.client.workers import WorkersClient

    with cli.client() as client:
        for one in [find_worker(client, text) for text in workers]:
            WorkersClient(client).rotate(one.id)
            click.echo(f"worker {short(one.id)} ({one.name}) is asked to change its secret")


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@asks_manager
@pass_cli
def merge(cli: Cli, old: str, new: str) -> None:
    """Make one of two entries of the same machine.

    NEW takes over OLD's tags, sleep schedule, history and blocklists; OLD is deleted. It has
    to be offline or asleep.
    """
    from flamenco_core.cli.worker_ids import find_worker
    from flamenco_core.client.workers import WorkersClient

    with cli.client() as client:
        former, present = find_worker(client, old), find_worker(client, new)
        WorkersClient(client).merge(former.id, present.id)
        click.echo(
            f"worker {short(present.id)} ({present.name}) has all of {short(former.id)}"
            f" ({former.name}), which is deleted"
        )


@click.command()
@click.argument("worker", metavar="WORKER")
@click.argument("text", required=False)
@as_json
@asks_manager
@pass_cli
def variables(cli: Cli, worker: str, text: str | None, as_json: bool) -> None:
    """Show what a Worker sees in place of variables.

    With TEXT, such as '{blender} {blenderArgs}', show only what that becomes.
    """
    from flamenco_core.cli.worker_ids import find_worker
    from flamenco_core.client.workers import WorkersClient

    with cli.client() as client:
        seen = WorkersClient(client).variables(find_worker(client, worker).id, text)
    if as_json:
        print_json(seen)
    elif text is not None:
        click.echo(seen.text)
    else:
        rows = [
            (f"{{{one.name}}}", "not replaced" if one.value is None else one.value)
            for one in seen.variables
        ]
        print_table(["variable", f"on {seen.platform}"], rows, empty="no variables")
