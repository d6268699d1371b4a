"""``flamenco why``: why tasks wait, in words."""

from __future__ import annotations

import click

from flamenco_core.cli.complete import job_ids
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import print_json, print_table
from flamenco_core.wire.jobs import WaitingReason

__all__ = ["why"]


@click.command()
@click.argument("job", shell_complete=job_ids)
@as_json
@asks_manager
@pass_cli
def why(cli: Cli, job: str, as_json: bool) -> None:
    """Say why the tasks of a job are not at work.

    JOB is an id or the beginning of one.
    """
    from flamenco_core.cli.ids import find_job

    with cli.client() as client:
        found = client.why(find_job(client, job).id)
    if as_json:
        print_json(found)
        return
    empty = f"no task of the job waits; the job is {found.status}"
    print_table(["tasks", "why", "such as"], [_row(r) for r in found.reasons], empty=empty)


def _row(reason: WaitingReason) -> list[object]:
    return [reason.tasks_count, reason.reason, reason.tasks[0].name]
