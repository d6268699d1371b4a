"""``flamenco submit``: a Blender file becomes a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flamenco_core.cli.complete import job_types
from flamenco_core.cli.context import Cli, asks_manager, pass_cli
from flamenco_core.cli.output import print_json, short
from flamenco_core.client import Client
from flamenco_core.domain.statuses import JobStatus
from flamenco_core.errors import BadRequest, NotFound
from flamenco_core.wire.job_types import AvailableJobType
from flamenco_core.wire.jobs import Job

__all__ = ["submit"]


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option(
    "--type",
    "kind",
    default="simple-blender-render",
    metavar="JOBTYPE",
    shell_complete=job_types,
    show_default=True,
    help="The job type; 'flamenco job-types' lists them.",
)
@click.option("--name", metavar="TEXT", help="Name of the job.  [default: that of the file]")
@click.option("--frames", metavar="RANGE", help="Such as 1-10,15.  [default: the scene's]")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Fill in a setting.")
@click.option("--priority", type=click.IntRange(0, 100), default=50, show_default=True)
@click.option("--tag", metavar="TAG", help="Only workers with this tag, by name or id.")
@click.option("--paused", is_flag=True, help="Do not start it yet.")
@click.option("--wait", is_flag=True, help="Wait for its end; succeed if it is completed.")
@click.option("--blender", metavar="PROGRAM", help="The Blender that reads the file.")
@click.option("--json", "as_json", is_flag=True, help="Write the job as JSON.")
@asks_manager
@pass_cli
@click.pass_context
def submit(
    context: click.Context,
    cli: Cli,
    *,
    file: Path,
    kind: str,
    name: str | None,
    frames: str | None,
    pairs: tuple[str, ...],
    priority: int,
    tag: str | None,
    paused: bool,
    wait: bool,
    blender: str | None,
    as_json: bool,
) -> None:
    """Submit a Blender file as a job.

    The workers must see FILE under the same path, or under one that the Manager's
    variables translate. Settings that are not given are read from the file by Blender.
    """
    from flamenco_core.cli.submission.blender import find_blender
    from flamenco_core.cli.submission.job import filled_in, submitted_job

    blend, name = file.absolute(), name or file.stem
    with cli.client() as client:
        job_type = _job_type(client, kind)
        given = _given(job_type, blend, frames, pairs)
        settings = filled_in(
            job_type, blend=blend, name=name, given=given, find=lambda: find_blender(blender)
        )
        job = client.submit(
            submitted_job(
                job_type,
                name=name,
                settings=settings,
                priority=priority,
                worker_tag=_tag_id(client, tag) if tag else None,
                paused=paused,
            )
        )
        if not as_json:
            click.echo(f"submitted job {short(job.id)} ({job.name})")
        if wait:
            job = _wait(cli, client, job)
    if as_json:
        print_json(job)
    if wait and job.status != JobStatus.COMPLETED:
        context.exit(1)


def _wait(cli: Cli, client: Client, job: Job) -> Job:
    from flamenco_core.cli.waiting import tell_failures, wait_for_job

    job = wait_for_job(cli, client, job.id)
    if job.status != JobStatus.COMPLETED:
        tell_failures(client, job)
    return job


def _job_type(client: Client, name: str) -> AvailableJobType:
    try:
        return client.job_type(name)
    except NotFound:
        known = ", ".join(sorted(kind.name for kind in client.job_types()))
        raise NotFound(
            f"the Manager at {client.url} has no job type {name!r}; it has: {known or 'none'}"
        ) from None


def _tag_id(client: Client, tag: str) -> str:
    tags = client.tags()
    for found in tags:
        if found.id and tag in (found.id, found.name):
            return found.id
    names = ", ".join(sorted(found.name for found in tags))
    raise NotFound(f"there is no worker tag {tag!r}; there are: {names or 'none'}")


def _given(
    job_type: AvailableJobType, blend: Path, frames: str | None, pairs: tuple[str, ...]
) -> dict[str, Any]:
    from flamenco_core.cli.submission.values import given_values

    given = given_values(pairs, job_type, blend.parent)
    if frames is not None:
        if not any(setting.key == "frames" for setting in job_type.settings):
            raise BadRequest(f"job type {job_type.name!r} has no frames; leave out --frames")
        given["frames"] = frames
    return given
