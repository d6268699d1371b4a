"""``flamenco jobs stuck``: find jobs that do not go on, and help them."""

from __future__ import annotations

import click

from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import print_json, print_table, short
from flamenco_core.domain.impossible import ImpossibleTasks
from flamenco_core.wire.stuck import StuckCheck, StuckFound, StuckJob, StuckTasks

__all__ = ["stuck"]


@click.command()
@click.option(
    "--impossible",
    type=click.Choice([choice.value for choice in ImpossibleTasks]),
    help="What to do about tasks that nobody can run. [default: what the Manager's settings say]",
)
@as_json
@asks_manager
@pass_cli
def stuck(cli: Cli, impossible: str | None, as_json: bool) -> None:
    """Repair jobs that were caught half way; list tasks that nobody can run."""
    choice = ImpossibleTasks(impossible) if impossible else None
    with cli.client() as client:
        found = client.check_stuck(StuckCheck(choice))
    if as_json:
        print_json(found)
        return
    print_table(["job", "what", "why", "done", "name"], _rows(found), empty="no job is stuck")


def _rows(found: StuckFound) -> list[list[object]]:
    return [*map(_repaired, found.repaired), *map(_impossible, found.impossible)]


def _repaired(job: StuckJob) -> list[object]:
    now = f"is {job.status} now"
    return [short(job.job_id), f"was {job.previous_status}", "", now, job.name]


def _impossible(tasks: StuckTasks) -> list[object]:
    what = f"{tasks.tasks_count} {tasks.task_type}"
    return [short(tasks.job_id), what, tasks.reason, tasks.done, tasks.job_name]
