"""``flamenco jobs``: list jobs, or show one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from flamenco_core.cli.commands.blocklist import of_job
from flamenco_core.cli.commands.jobs_delete import delete
from flamenco_core.cli.commands.jobs_stuck import stuck
from flamenco_core.cli.commands.keeping import archive, keep, prune
from flamenco_core.cli.complete import job_ids
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.job_filter import JobFilter, filters_jobs
from flamenco_core.cli.output import local_time, print_json, print_table, short, size, steps
from flamenco_core.client import Client
from flamenco_core.domain.submitter import submitter_of
from flamenco_core.errors import NotFound
from flamenco_core.wire.disposal import JobDiskUse
from flamenco_core.wire.jobs import Job

__all__ = ["jobs"]


@click.group(invoke_without_command=True)
@filters_jobs
@click.option("--size", "sized", is_flag=True, help="Say what each takes of the disk.")
@as_json
@asks_manager
@click.pass_context
def jobs(context: click.Context, /, as_json: bool, sized: bool, **wanted: Any) -> None:
    """List jobs, the newest first; 'jobs show ID' shows one, 'jobs stuck' helps."""
    if context.invoked_subcommand:
        return
    filter = JobFilter(**wanted)
    with context.ensure_object(Cli).client() as client:
        found = filter.of(client.jobs())
        uses = {use.job_id: use for use in client.disk_uses()} if sized else {}
    found.sort(key=lambda job: job.created, reverse=True)
    if as_json:
        print_json([_with_use(job, uses) for job in found])
        return
    print_table(
        ["id", "status", "prio", "steps", "type", "updated", *(["size"] if sized else []), "name"],
        [_row(job, uses if sized else None) for job in found],
        empty="no jobs like that" if filter else "no jobs",
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
        # One that was found by the beginning of its id comes from a list, which says less.
        found = client.job(find_job(client, job).id)
        use = [] if as_json else _disk_use(client, found)
    if as_json:
        print_json(found)
        return
    for label, value in [*_facts(found), *use]:
        click.echo(f"{label + ':':<13} {value}")
    for title, values in (("settings", found.settings), ("metadata", found.metadata)):
        if values:
            click.echo(f"{title}:")
        for key, value in values.items():
            click.echo(f"    {key} = {value}")


for _command in (archive, delete, keep, of_job, prune):
    jobs.add_command(_command)


def _with_use(job: Job, uses: Mapping[str, JobDiskUse]) -> Any:
    from flamenco_core.wire.converter import unstructure

    return {**unstructure(job), "disk_use": uses[job.id]} if job.id in uses else job


def _row(job: Job, uses: Mapping[str, JobDiskUse] | None) -> list[object]:
    progress = steps(job.steps_completed, job.steps_total)
    updated = local_time(job.updated)
    row: list[object] = [short(job.id), job.status, job.priority, progress, job.type, updated]
    if uses is not None:
        use = uses.get(job.id)
        row.append(size(use.logs + use.images + use.archive) if use else "")
    return [*row, job.name]


def _facts(job: Job) -> list[tuple[str, object]]:
    return [
        ("id", job.id),
        ("name", job.name),
        ("type", job.type),
        ("status", job.status),
        ("activity", job.activity),
        ("submitted by", submitter_of(job.metadata)),
        ("priority", job.priority),
        ("steps", steps(job.steps_completed, job.steps_total) or "none yet"),
        ("created", local_time(job.created)),
        ("updated", local_time(job.updated)),
        ("kept", _kept(job)),
    ]


def _disk_use(client: Client, job: Job) -> list[tuple[str, str]]:
    try:
        use = client.disk_use(job.id)
    except NotFound:
        # Flamenco's own Manager does not tell.
        return []
    parts = {"logs": use.logs, "images": use.images, "archive": use.archive}
    words = [f"{size(count)} {what}" for what, count in parts.items() if count]
    return [("on disk", ", ".join(words) or "nothing")]


def _kept(job: Job) -> str:
    found = job.retention
    if found is None:
        return "until it is deleted"
    until = f"until {local_time(found.expires)}" if found.expires else "until it is deleted"
    return f"{until}: {found.reason}"
