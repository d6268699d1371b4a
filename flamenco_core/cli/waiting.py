"""Wait for a job to end, and show how far it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol, Self

import click

from flamenco_core.cli.context import Cli
from flamenco_core.cli.output import short
from flamenco_core.client import Client, Watch
from flamenco_core.domain.statuses import JobStatus, TaskStatus
from flamenco_core.wire.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ended", "tell_failures", "wait_for_job"]

_OVER = frozenset({JobStatus.COMPLETED, JobStatus.CANCELED, JobStatus.FAILED})
_TAIL = 15
_FAILURES_SHOWN = 3


def ended(job: Job) -> bool:
    """Say whether a job is over unless a person asks for it again."""
    return job.status in _OVER


def wait_for_job(
    cli: Cli, client: Client, job_id: str, *, check: Callable[[], None] | None = None
) -> Job:
    """Show progress until the job ends; return it as it is then.

    *check* is called at each look and may raise to give up.
    """
    with _display() as display, Watch(client, "jobs,tasks", job=job_id, poll=cli.poll) as watch:
        while True:
            job = client.job(job_id)
            display.show(job)
            if ended(job):
                return job
            if check is not None:
                check()
            watch.wait()


def tell_failures(client: Client, job: Job) -> None:
    """Write which tasks failed, and the ends of their logs, to the error output."""
    click.echo(f"job {short(job.id)} ({job.name}) is {job.status}: {job.activity}", err=True)
    bad = [t for t in client.tasks(job.id) if t.status == TaskStatus.FAILED]
    for summary in bad[:_FAILURES_SHOWN]:
        task = client.task(summary.id)
        by = f" on {task.worker.name}" if task.worker.name else ""
        click.echo(f"\ntask {short(task.id)} ({task.name}) failed{by}: {task.activity}", err=True)
        for line in client.log_tail(task.id).splitlines()[-_TAIL:]:
            click.echo(f"    {line}", err=True)
    if len(bad) > _FAILURES_SHOWN:
        rest = f"flamenco tasks {short(job.id)} --status failed"
        click.echo(f"\nand {len(bad) - _FAILURES_SHOWN} more: {rest}", err=True)


class _Display(Protocol):
    """Shows the progress of a job."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, job: Job) -> None:
        """Show the job as it is now."""


def _display() -> _Display:
    return _Bar() if sys.stderr.isatty() else _Lines()


class _Lines:
    """For pipes and log files: a line whenever a tenth more is done."""

    def __init__(self) -> None:
        self._last = ("", -1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, job: Job) -> None:
        """Write a line if it says something new."""
        tenth = 10 * job.steps_completed // job.steps_total if job.steps_total else 0
        if (now := (str(job.status), tenth)) != self._last:
            self._last = now
            done = f"{job.steps_completed}/{job.steps_total} steps" if job.steps_total else ""
            click.echo(f"{short(job.id)} {job.status} {done}".rstrip(), err=True)


class _Bar:
    """For people: one line that moves."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed

        words = TextColumn("{task.description}", markup=False)
        console = Console(stderr=True)
        self._progress = Progress(
            words, BarColumn(), MofNCompleteColumn(), Elapsed(), console=console
        )
        self._row = self._progress.add_task("", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, job: Job) -> None:
        """Move the bar."""
        self._progress.update(
            self._row,
            description=f"{job.name}: {job.status}",
            completed=job.steps_completed,
            total=job.steps_total or None,
        )
