"""``flamenco workers``: the machines of the farm."""

from __future__ import annotations

import click

from flamenco_core.cli.commands.blocklist import of_worker
from flamenco_core.cli.commands.worker_admission import approve, merge, reject, rotate, variables
from flamenco_core.cli.commands.worker_schedule import schedule
from flamenco_core.cli.commands.workers_ask import ask
from flamenco_core.cli.commands.workers_test import test
from flamenco_core.cli.context import Cli, as_json, asks_manager
from flamenco_core.cli.output import local_time, print_json, print_table, short
from flamenco_core.wire.worker_mgt import WorkerSummary

__all__ = ["workers"]


@click.group(invoke_without_command=True)
@as_json
@asks_manager
@click.pass_context
def workers(context: click.Context, as_json: bool) -> None:
    """List the workers; 'workers schedule' says when one sleeps, 'workers test' tries one."""
    if context.invoked_subcommand:
        return
    with context.ensure_object(Cli).client() as client:
        found = sorted(client.workers(), key=lambda worker: (worker.name, worker.id))
    if as_json:
        print_json(found)
        return
    rows = [_row(worker) for worker in found]
    columns = ["id", "status", "asked for", "last seen", "version", "tags", "name"]
    print_table(columns, rows, empty="no workers; start one with 'flamenco worker'")
    for worker in found:
        _say_again(worker)


for _command in (ask, of_worker, schedule, test, approve, reject, merge, rotate, variables):
    workers.add_command(_command)


def _say_again(worker: WorkerSummary) -> None:
    for id in worker.may_be_again or ():
        click.echo(
            f"{worker.name} ({short(worker.id)}) seems to have been {short(id)} before:"
            f" 'flamenco workers merge {short(id)} {short(worker.id)}' makes one of them",
            err=True,
        )


def _row(worker: WorkerSummary) -> list[object]:
    change = worker.status_change
    asked = f"{change.status}{' when idle' if change.is_lazy else ''}" if change else ""
    if worker.pending_approval:
        asked = "approval"
    seen = local_time(worker.last_seen)
    status = f"{worker.status}, late" if worker.is_late else worker.status
    tags = ", ".join(tag.name for tag in worker.tags or ())
    return [short(worker.id), status, asked, seen, worker.version, tags, worker.name]
