"""``flamenco jobs``: list jobs, or show one."""

from __future__ import annotations

import click

from flamenco_core.cli.commands.blocklist import of_job
from flamenco_core.cli.commands.jobs_stuck import stuck
from flamenco_core.cli.commands.keeping import archive, keep, prune
from flamenco_core.cli.complete import job_ids
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import local_time, print_json, print_table, short, steps
from flamenco_core.domain.statuses import JobStatus
from flamenco_core.wire.jobs import Job

__all__ = ["jobs"]


@click.group(invoke_without_command=True)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in JobStatus]),
    help="Only jobs of this status; may be repeated.",
)
@click.option("--search", metavar="TEXT", help="Only jobs with TEXT in name, type or id.")
@as_json
@asks_manager
@click.pass_context
def jobs(
    context: click.Context, statuses: tuple[str, ...], search: str | None, as_json: bool
) -> None:
    """List jobs, the newest first; 'jobs show ID' shows one, 'jobs stuck' helps."""
    if context.invoked_subcommand:
        return
    with context.ensure_object(Cli).client() as client:
        found = [job for job in client.jobs() if _wanted(job, statuses, search)]
    found.sort(key=lambda job: job.created, reverse=True)
    if as_json:
        print_json(found)
        return
    print_table(
        ["id", "status", "prio", "steps", "type", "updated", "name"],
        [_row(job) for job in found],
        empty="no jobs" if not (statuses or search) else "no jobs like that",
    )


jobs.add_command(stuck)


@jobs.command()
@click.argument("job", shell_complete=job_ids)
@as_json
@asks_manager
@pass_cli
def show(cli: Cli, job: str, as_json: bool) -> None:
    """Show one job with its settings."""
    from flamenco_core.cli.ids import find_job

    with cli.client() as client:
        found = find_job(client, job)
    if as_json:
        print_json(found)
        return
    for label, value in _facts(found):
        click.echo(f"{label + ':':<10} {value}")
    for title, values in (("settings", found.settings), ("metadata", found.metadata)):
        if values:
            click.echo(f"{title}:")
        for key, value in values.items():
            click.echo(f"    {key} = {value}")


for _command in (archive, keep, of_job, prune):
    jobs.add_command(_command)


def _wanted(job: Job, statuses: tuple[str, ...], search: str | None) -> bool:
    if statuses and job.status not in statuses:
        return False
    return not search or search.lower() in f"{job.name}\n{job.type}\n{job.id}".lower()


def _row(job: Job) -> list[object]:
    progress = steps(job.steps_completed, job.steps_total)
    updated = local_time(job.updated)
    return [short(job.id), job.status, job.priority, progress, job.type, updated, job.name]


def _facts(job: Job) -> list[tuple[str, object]]:
    return [
        ("id", job.id),
        ("name", job.name),
        ("type", job.type),
        ("status", job.status),
        ("activity", job.activity),
        ("priority", job.priority),
        ("steps", steps(job.steps_completed, job.steps_total) or "none yet"),
        ("created", local_time(job.created)),
        ("updated", local_time(job.updated)),
        ("kept", _kept(job)),
    ]


def _kept(job: Job) -> str:
    found = job.retention
    if found is None:
        return "until it is deleted"
    until = f"until {local_time(found.expires)}" if found.expires else "until it is deleted"
    return f"{until}: {found.reason}"
