"""``flamenco workers ask``: let a worker sleep, wake up, stop or restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import local_time, print_json, print_table
from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.errors import Busy, Conflict

if TYPE_CHECKING:
    from flamenco_core.client import Client
    from flamenco_core.wire.worker_mgt import WorkerStatusRequest

__all__ = ["ask"]

POSSIBLE = ("awake", "asleep", "offline", "restart")


@click.command()
@click.argument("worker")
@click.argument("status", type=click.Choice(POSSIBLE), required=False)
@click.option("--when-idle", is_flag=True, help="Let it end its task first.")
@click.option("--wait", is_flag=True, help="Wait until the worker has confirmed it.")
@click.option(
    "--timeout", metavar="SECONDS", default=120.0, show_default=True, help="How long to wait."
)
@as_json
@asks_manager
@pass_cli
def ask(
    cli: Cli,
    /,
    worker: str,
    status: str | None,
    when_idle: bool,
    wait: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Ask WORKER to be something else; without STATUS, show what it was asked.

    What a worker is asked waits until it hears of it, and is confirmed when it says so.
    """
    from flamenco_core.cli.worker_ids import find_worker

    if status is None and (when_idle or wait):
        raise click.UsageError("--when-idle and --wait need a STATUS.")
    with cli.client() as client:
        one = find_worker(client, worker)
        if status is not None:
            client.ask_worker(one.id, WorkerStatus(status), is_lazy=when_idle)
            if wait:
                _wait(cli, client, one.id, one.name, timeout)
        found = client.status_requests(one.id)
    if as_json:
        print_json(found)
        return
    columns = ["asked for", "by", "at", "result", "after"]
    print_table(columns, map(_row, found), empty=f"{one.name} was asked for nothing")


def _wait(cli: Cli, client: Client, worker: str, name: str, seconds: float) -> None:
    left = seconds
    while (found := client.status_requests(worker)) and found[0].ended_at is None:
        if left <= 0:
            raise Busy(f"{name} has not confirmed it within {seconds:g} seconds; it is still asked")
        cli.pause(cli.poll)
        left -= cli.poll
    if found and found[0].outcome != "confirmed":
        raise Conflict(f"that is not asked of {name} any more: it was {found[0].outcome}")


def _row(one: WorkerStatusRequest) -> list[object]:
    asked = f"{one.status}{' when idle' if one.is_lazy else ''}"
    return [asked, one.asked_by, local_time(one.asked_at), one.outcome or "waits", _after(one)]


def _after(one: WorkerStatusRequest) -> str:
    from flamenco_core.clock import from_rfc3339

    if one.ended_at is None:
        return ""
    return f"{(from_rfc3339(one.ended_at) - from_rfc3339(one.asked_at)) / 1_000_000:.1f} s"
