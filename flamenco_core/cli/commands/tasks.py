"""``flamenco tasks``: the tasks of a job."""

from __future__ import annotations

import click

from flamenco_core.cli.complete import job_ids
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import local_time, print_json, print_table, short, steps
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.wire.tasks import TaskSummary

__all__ = ["tasks"]


@click.command()
@click.argument("job", shell_complete=job_ids)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in TaskStatus]),
    help="Only tasks of this status; may be repeated.",
)
@as_json
@asks_manager
@pass_cli
def tasks(cli: Cli, job: str, statuses: tuple[str, ...], as_json: bool) -> None:
    """List the tasks of a job."""
    from flamenco_core.cli.ids import find_job

    with cli.client() as client:
        found = client.tasks(find_job(client, job).id)
    found = [task for task in found if not statuses or task.status in statuses]
    if as_json:
        print_json(found)
        return
    columns = ["#", "id", "status", "steps", "type", "worker", "updated", "name"]
    print_table(columns, [_row(task) for task in found], empty="no tasks")


def _row(task: TaskSummary) -> list[object]:
    progress = steps(task.steps_completed, task.steps_total)
    what = [task.task_type, task.worker.name, local_time(task.updated), task.name]
    return [task.index_in_job, short(task.id), task.status, progress, *what]
