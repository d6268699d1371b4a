"""``flamenco demo``: a farm that renders a small film, from nothing to a video."""

from __future__ import annotations

from pathlib import Path

import click

from flamenco_core.cli.context import Cli, debug_option, pass_cli
from flamenco_core.cli.farm.children import Children, free_port
from flamenco_core.cli.farm.local import LocalFarm
from flamenco_core.cli.farm.results import Results, results_of
from flamenco_core.cli.farm.scene import build_scene, needed_blender, needed_ffmpeg
from flamenco_core.client import Client
from flamenco_core.domain.frames import frame_count
from flamenco_core.domain.statuses import JobStatus
from flamenco_core.errors import BadRequest, FlamencoError
from flamenco_core.wire.jobs import Job

__all__ = ["demo"]


@click.command()
@click.option("--frames", default="1-24", show_default=True, metavar="RANGE")
@click.option(
    "--folder",
    default="demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything goes, in a new sub-folder each time.",
)
@click.option("--keep", is_flag=True, help="Keep the farm running afterwards, until Ctrl+C.")
@debug_option
@pass_cli
def demo(cli: Cli, frames: str, folder: Path, keep: bool) -> None:
    """Render a small film with a farm of its own.

    Starts a Manager and a Worker on this machine, lets Blender make a scene, submits it,
    renders every frame, makes the video, looks whether all of it is there, and stops.
    """
    _check_frames(frames)
    blender = needed_blender()
    needed_ffmpeg()
    place = _fresh(folder.absolute())
    with Children() as children:
        local = LocalFarm(
            cli=cli, children=children, folder=place / "farm", port=free_port(), quiet=True
        )
        try:
            results = _rendered(local, blender, frames)
        except FlamencoError:
            local.tell_logs()
            raise
        _tell(results)
        if keep:
            _say(f"the farm runs on at {local.url}; Ctrl+C ends it")
            while True:
                children.check()
                cli.pause(0.5)


def _rendered(local: LocalFarm, blender: list[str], frames: str) -> Results:
    """Go all the way; raises `FlamencoError` unless every file is there in the end."""
    _say(f"starting a Manager and a Worker, at {local.url}")
    local.start()
    _say("making the scene with Blender")
    blend = local.folder.parent / "demo.blend"
    build_scene(blender, blend)
    local.wait_until_ready()
    with local.cli.client() as client:
        _say(f"rendering {frame_count(frames)} frames")
        job = _completed(local, client, _submitted(client, blender, blend, frames))
    results = results_of(job)
    if results.missing:
        raise FlamencoError(_complaint(results))
    return results


def _submitted(client: Client, blender: list[str], blend: Path, frames: str) -> Job:
    from flamenco_core.cli.submission.job import filled_in, submitted_job

    job_type = client.job_type("simple-blender-render")
    values = {"frames": frames, "render_output_root": (blend.parent / "frames").as_posix()}
    settings = filled_in(job_type, blend=blend, name="demo", given=values, find=lambda: blender)
    return client.submit(submitted_job(job_type, name="demo", settings=settings))


def _completed(local: LocalFarm, client: Client, job: Job) -> Job:
    """Wait until the job has ended; raises `FlamencoError` unless it is completed."""
    from flamenco_core.cli.waiting import tell_failures, wait_for_job

    job = wait_for_job(local.cli, client, job.id, check=local.children.check)
    if job.status != JobStatus.COMPLETED:
        tell_failures(client, job)
        raise FlamencoError(f"the demo's job is {job.status}")
    return job


def _check_frames(frames: str) -> None:
    try:
        frame_count(frames)
    except ValueError as error:
        raise BadRequest(f"--frames: {error}; write it like 1-24") from error


def _fresh(folder: Path) -> Path:
    """Make a new folder: what an earlier demo rendered stays."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        place = folder / f"run-{number:03}"
        try:
            place.mkdir()
        except FileExistsError:
            number += 1
        else:
            return place


def _complaint(results: Results) -> str:
    first = ", ".join(results.missing[:5])
    more = len(results.missing) - 5
    return f"{first}{f' and {more} more' if more > 0 else ''} (in {results.folder})"


def _tell(results: Results) -> None:
    click.echo(f"\nframes  {results.folder}  ({len(results.frames)} files)")
    click.echo(f"video   {results.video}\n")
    click.echo("what to try next:")
    click.echo("  flamenco demo --keep       keep that farm running, and look around with")
    click.echo("                             flamenco jobs, tasks, log, workers")
    click.echo("  flamenco farm              a farm on this machine that stays")
    click.echo("  flamenco submit FILE.blend --wait")
    click.echo("  flamenco new-plugin NAME   a plugin of your own")


def _say(text: str) -> None:
    click.echo(text, err=True)
