"""``flamenco workers test``: let a worker of the farm show what it can do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import local_time, print_json, print_table
from flamenco_core.errors import Busy

if TYPE_CHECKING:
    from flamenco_core.client import Client
    from flamenco_core.wire.trials import WorkerTest, WorkerTrial

__all__ = ["test"]

OPEN = {"queued", "active"}
WORDS = {"passed": "ok"}


@click.command()
@click.argument("worker")
@click.option("--show", "only_show", is_flag=True, help="Show the newest test; ask for none.")
@click.option("--withdraw", is_flag=True, help="End a test that waits or runs.")
@click.option("--no-wait", is_flag=True, help="Ask for it, and do not wait for the results.")
@click.option(
    "--timeout", metavar="SECONDS", default=900.0, show_default=True, help="How long to wait."
)
@click.option(
    "--picture",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to put what was rendered.",
)
@click.option("--log", "show_log", is_flag=True, help="Show the logs of what failed.")
@as_json
@asks_manager
@pass_cli
def test(
    cli: Cli,
    /,
    worker: str,
    only_show: bool,
    withdraw: bool,
    no_wait: bool,
    timeout: float,
    picture: Path | None,
    show_log: bool,
    as_json: bool,
) -> int:
    """Let WORKER render, encode and write something tiny, and show how that went.

    It is done as soon as the worker is free, and before its next task; no job knows of it.
    Works with Flamenco's own Workers, too. Ends with 1 if something failed.
    """
    from flamenco_core.cli.worker_ids import find_worker

    with cli.client() as client:
        id = find_worker(client, worker).id
        if withdraw:
            client.withdraw_test(id)
        elif not only_show:
            client.test_worker(id)
            if not no_wait:
                _wait(cli, client, id, timeout)
        found = client.worker_test(id)
        if picture:
            _save(client, found, picture)
    if as_json:
        print_json(found)
    else:
        _show(found, show_log)
    return int(found.status == "failed")


def _wait(cli: Cli, client: Client, worker: str, seconds: float) -> None:
    left, told = seconds, ""
    while (found := client.worker_test(worker)).status in OPEN:
        if left <= 0:
            raise Busy(
                f"worker {found.worker_name} has not ended its test within {seconds:g} seconds"
                f"{_waiting(found)}; it goes on: see 'flamenco workers test --show'"
            )
        if (words := _waiting(found)) and words != told:
            click.echo(f"{found.worker_name}{words}", err=True)
            told = words
        cli.pause(cli.poll)
        left -= cli.poll


def _waiting(found: WorkerTest) -> str:
    return f" (waits for {found.waits_for})" if found.waits_for else ""


def _save(client: Client, found: WorkerTest, file: Path) -> None:
    for trial in found.trials:
        if trial.picture:
            file.write_bytes(client.picture_of(trial.picture))
            return
    click.echo("there is no picture: nothing was rendered", err=True)


def _show(found: WorkerTest, show_log: bool) -> None:
    by = f" by {found.asked_by}" if found.asked_by else ""
    ended = f", ended {local_time(found.ended_at)}" if found.ended_at else ""
    click.echo(f"{found.worker_name}: {WORDS.get(found.status, found.status)}", nl=False)
    click.echo(f" (asked for{by} {local_time(found.asked_at)}{ended})")
    print_table(
        ["what", "result", "seconds", "version", "details"],
        [_row(trial) for trial in found.trials],
        empty="nothing was tried",
    )
    for trial in found.trials:
        if show_log and trial.status == "failed" and trial.log:
            click.echo(f"\nlog of {trial.name}:\n{trial.log}")


def _row(trial: WorkerTrial) -> list[object]:
    took = "" if trial.seconds is None else f"{trial.seconds:.1f}"
    result = WORDS.get(trial.status, trial.status)
    return [trial.name, result, took, trial.version or "", trial.message]
