"""``flamenco why``: why tasks wait and workers idle, in words."""

from __future__ import annotations

import click

from flamenco_core.cli.complete import job_ids
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import print_json, print_table
from flamenco_core.wire.jobs import Job, JobWhy, WaitingReason
from flamenco_core.wire.tasks import Task
from flamenco_core.wire.why import TaskWhy, WorkerWhy

__all__ = ["why"]


@click.command()
@click.argument("id", metavar="JOB|TASK|WORKER", shell_complete=job_ids)
@as_json
@asks_manager
@pass_cli
def why(cli: Cli, id: str, as_json: bool) -> None:
    """Say why a job's tasks, a task or a worker are not at work.

    Each is an id or the beginning of one; JOB/3 is the third task of a job, and a worker
    can be called by its name.
    """
    from flamenco_core.cli.worker_ids import find_any

    with cli.client() as client:
        thing = find_any(client, id)
        found: JobWhy | TaskWhy | WorkerWhy
        if isinstance(thing, Job):
            found = client.why(thing.id)
        elif isinstance(thing, Task):
            found = client.why_task(thing.id)
        else:
            found = client.why_worker(thing.id)
    if as_json:
        print_json(found)
    elif isinstance(found, JobWhy):
        empty = f"no task of the job waits; the job is {found.status}"
        print_table(["tasks", "why", "such as"], [_row(r) for r in found.reasons], empty=empty)
    else:
        _say(found)


def _row(reason: WaitingReason) -> list[object]:
    return [reason.tasks_count, reason.reason, reason.tasks[0].name]


def _say(found: TaskWhy | WorkerWhy) -> None:
    kind = "task" if isinstance(found, TaskWhy) else "worker"
    click.echo(f"{kind} {found.name} ({found.status}):")
    for reason in [found.reason] if isinstance(found, TaskWhy) else found.reasons:
        click.echo(f"  {reason}")
