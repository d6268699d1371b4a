"""``flamenco jobs archive``, ``keep`` and ``prune``: what is kept of jobs, and how long."""

from __future__ import annotations

from pathlib import Path

import click

from flamenco_core.cli.complete import job_ids
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.job_filter import seconds_of
from flamenco_core.cli.output import local_time, print_json, print_table, short

__all__ = ["archive", "keep", "prune"]


@click.command()
@click.argument("job", required=False, shell_complete=job_ids)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--there", is_flag=True, help="Put it into the Manager's folder for archives.")
@click.option(
    "--list",
    "listed",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Show what is in an archive instead.",
)
@as_json
@asks_manager
@pass_cli
def archive(
    cli: Cli, job: str | None, file: Path | None, there: bool, listed: Path | None, as_json: bool
) -> None:
    """Write a job with its tasks, logs and images to one zip file."""
    if listed is not None:
        _list(listed, as_json)
        return
    if job is None:
        raise click.UsageError("Missing argument 'JOB'.")
    from flamenco_core.cli.archives import fetch
    from flamenco_core.cli.ids import find_job

    with cli.client(timeout=60.0) as client:
        found = find_job(client, job)
        if there:
            stored = client.archive_there(found.id)
            click.echo(f"{stored.path} on the Manager's machine, {stored.size:,} bytes")
            return
        target = file or Path(f"job-{found.id}.zip")
        fetch(target, lambda out: client.download_archive(found.id, out))
    click.echo(f"{target}, {target.stat().st_size:,} bytes")


def _list(file: Path, as_json: bool) -> None:
    from flamenco_core.cli.archives import look_into

    found = look_into(file)
    if as_json:
        entries = [{"name": name, "size": size} for name, size in found.entries]
        print_json({"about": found.about, "job": found.job, "entries": entries})
        return
    job = found.job
    click.echo(f"job {job.get('id')} ({job.get('name')}), {job.get('status')}")
    click.echo(f"archived {local_time(str(found.about.get('made', '')))}")
    print_table(["size", "name"], [(size, name) for name, size in found.entries], empty="nothing")


@click.command()
@click.argument("ids", metavar="JOB...", nargs=-1, required=True, shell_complete=job_ids)
@click.option("--for", "age", metavar="AGE", help="Until AGE after its last change, as 30d.")
@click.option("--as-usual", is_flag=True, help="As the rules of the farm say.")
@asks_manager
@pass_cli
def keep(cli: Cli, ids: tuple[str, ...], age: str | None, as_usual: bool) -> None:
    """Keep jobs for ever: the clean-up leaves them alone."""
    from flamenco_core.cli.ids import find_job
    from flamenco_core.wire.retention import JobRetention

    if age and as_usual:
        raise click.UsageError("--for and --as-usual exclude each other.")
    seconds = seconds_of(age)
    wish = JobRetention(keep=not (as_usual or age), seconds=seconds)
    how = "as the rules say" if as_usual else f"for {age}" if age else "for ever"
    with cli.client() as client:
        for job in [find_job(client, text) for text in ids]:
            client.set_retention(job.id, wish)
            click.echo(f"keeping job {short(job.id)} ({job.name}) {how}")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go, and how big it is.")
@click.option("--older-than", "age", metavar="AGE", help="Not changed for AGE, such as 30d.")
@click.option(
    "--status", "statuses", metavar="A,B", help="Only these: completed, failed, canceled."
)
@click.option("--user", metavar="NAME", help="Only jobs that NAME submitted; with --older-than.")
@click.option(
    "--archive-before-delete",
    "archived",
    is_flag=True,
    help="Put each into the Manager's folder for archives first.",
)
@as_json
@asks_manager
@pass_cli
def prune(
    cli: Cli,
    /,
    dry_run: bool,
    age: str | None,
    statuses: str | None,
    user: str | None,
    archived: bool,
    as_json: bool,
) -> None:
    """Delete finished jobs whose time is over.

    Without --older-than the rules of the Manager's settings say which these are. What is
    to be kept stays.
    """
    from flamenco_core.wire.retention import PruneSelection

    selection = PruneSelection(
        dry_run=dry_run,
        older_than_seconds=seconds_of(age),
        statuses=[word.strip() for word in (statuses or "").split(",") if word.strip()],
        user=user or "",
        archive=archived,
    )
    with cli.client(timeout=60.0) as client:
        result = client.prune(selection)
    if as_json:
        print_json(result)
        return
    print_table(
        ["id", "status", "updated", "bytes", "because of", "name"],
        [
            (short(j.id), j.status, local_time(j.updated), f"{j.size:,}", j.reason, j.name)
            for j in result.jobs
        ],
        empty="no job's time is over",
    )
    if result.jobs:
        what = "would be deleted" if dry_run else "are being deleted"
        click.echo(f"{len(result.jobs)} jobs {what}; {result.size:,} bytes", err=True)
