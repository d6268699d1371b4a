"""``flamenco jobs delete``: jobs, with their tasks, logs and images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from flamenco_core.cli.asking import confirm_loss
from flamenco_core.cli.complete import job_ids
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.job_filter import JobFilter, filters_jobs
from flamenco_core.cli.output import print_json, print_table, short, size
from flamenco_core.client import Client
from flamenco_core.domain.retention import FINISHED
from flamenco_core.wire.disposal import DeletedJob, JobsDeletion, JobsDeletionResult
from flamenco_core.wire.jobs import Job

__all__ = ["delete"]

AT_A_TIME = 500


@click.command()
@click.argument("ids", metavar="[JOB]...", nargs=-1, shell_complete=job_ids)
@filters_jobs
@click.option("--archive", is_flag=True, help="Archive each in the Manager's folder first.")
@click.option("--dry-run", is_flag=True, help="Only say what would go, and how big it is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@asks_manager
@pass_cli
@click.pass_context
def delete(
    context: click.Context,
    cli: Cli,
    /,
    ids: tuple[str, ...],
    archive: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Delete jobs with their tasks, logs and images; rendered frames stay.

    Name the jobs, or say with options which are meant. Of those that options have found,
    jobs that are to be kept stay.
    """
    filter = JobFilter(**wanted)
    if bool(ids) == bool(filter):
        raise click.UsageError("Give JOBs, or options that say which are meant.")
    with cli.client(timeout=120.0) as client:
        found = _found(client, ids, filter)
        how = {"archive": archive, "spare_kept": not ids}
        result = _send(client, found, dry_run=True, **how)
        if not as_json:
            _show(result)
        if not dry_run and _going(result):
            confirm_loss(_loss(result, archive=archive), yes=yes)
            result = _send(client, found, dry_run=False, **how)
    if as_json:
        print_json(result)
    _count(result)
    context.exit(1 if ids and any(job.problem for job in result.jobs) else 0)


def _found(client: Client, ids: Sequence[str], filter: JobFilter) -> list[Job]:
    from flamenco_core.cli.ids import find_job

    # All are found before the first is deleted: a typing error deletes nothing.
    return [find_job(client, text) for text in ids] if ids else filter.of(client.jobs())


def _send(client: Client, jobs: Sequence[Job], **how: bool) -> JobsDeletionResult:
    done = [
        client.delete_jobs(JobsDeletion(job_ids=[job.id for job in part], **how))
        for part in _parts(jobs)
    ]
    return JobsDeletionResult(
        dry_run=how["dry_run"],
        size=sum(result.size for result in done),
        jobs=[job for result in done for job in result.jobs],
    )


def _parts(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    for start in range(0, len(jobs), AT_A_TIME):
        yield jobs[start : start + AT_A_TIME]


def _going(result: JobsDeletionResult) -> list[DeletedJob]:
    return [job for job in result.jobs if job.problem is None]


def _show(result: JobsDeletionResult) -> None:
    print_table(
        ["id", "status", "size", "type", "name", "stays because"],
        [(short(j.id), j.status, size(j.size), j.type, j.name, j.problem) for j in result.jobs],
        empty="no jobs like that",
    )


def _loss(result: JobsDeletionResult, *, archive: bool) -> str:
    going = _going(result)
    unfinished = sum(job.status not in FINISHED for job in going)
    more = f", {unfinished} of them not finished" if unfinished else ""
    return f"{'archive and ' if archive else ''}delete {_jobs(going)}{more}"


def _jobs(jobs: Sequence[DeletedJob]) -> str:
    return "1 job" if len(jobs) == 1 else f"{len(jobs)} jobs"


def _count(result: JobsDeletionResult) -> None:
    going = _going(result)
    verb = "would be" if result.dry_run else "is being" if len(going) == 1 else "are being"
    if going:
        click.echo(f"{_jobs(going)} {verb} deleted; {size(result.size)}", err=True)
