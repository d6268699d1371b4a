"""``flamenco pause``, ``cancel`` and ``requeue``: tell jobs and tasks what to do."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import click

from flamenco_core.cli.complete import job_ids
from flamenco_core.cli.context import Cli, asks_manager, pass_cli
from flamenco_core.cli.output import short
from flamenco_core.cli.person import user_name
from flamenco_core.client import Client
from flamenco_core.domain.statuses import JobStatus, TaskStatus
from flamenco_core.wire.jobs import Job, JobStatusChange
from flamenco_core.wire.tasks import Task, TaskStatusChange

__all__ = ["cancel", "pause", "requeue"]

_reason = click.option("--reason", metavar="TEXT", help="Kept with the job or task.")


@attrs.frozen
class _Wish:
    """What is wanted, in the words of jobs, of tasks, and of people."""

    job: JobStatus
    task: TaskStatus | None
    done: str


@click.command()
@click.argument("ids", metavar="JOB...", nargs=-1, required=True, shell_complete=job_ids)
@_reason
@asks_manager
@pass_cli
def pause(cli: Cli, ids: tuple[str, ...], reason: str | None) -> None:
    """Pause jobs: running tasks end, no more are started.

    'flamenco requeue JOB' lets a job go on.
    """
    _tell(cli, ids, _Wish(JobStatus.PAUSE_REQUESTED, None, "pausing"), reason)


@click.command()
@click.argument("ids", metavar="JOB|TASK...", nargs=-1, required=True, shell_complete=job_ids)
@_reason
@asks_manager
@pass_cli
def cancel(cli: Cli, ids: tuple[str, ...], reason: str | None) -> None:
    """Cancel jobs or tasks; what runs is stopped."""
    wish = _Wish(JobStatus.CANCEL_REQUESTED, TaskStatus.CANCELED, "canceling")
    _tell(cli, ids, wish, reason)


@click.command()
@click.argument("ids", metavar="JOB|TASK...", nargs=-1, required=True, shell_complete=job_ids)
@_reason
@asks_manager
@pass_cli
def requeue(cli: Cli, ids: tuple[str, ...], reason: str | None) -> None:
    """Run jobs or tasks again.

    Of a completed job all tasks run again; of any other those that are not completed. A
    paused job goes on.
    """
    _tell(cli, ids, _Wish(JobStatus.REQUEUEING, TaskStatus.QUEUED, "requeueing"), reason)


def _tell(cli: Cli, ids: Iterable[str], wish: _Wish, reason: str | None) -> None:
    from flamenco_core.cli.ids import find_either, find_job

    by = user_name() or "somebody"
    reason = reason or f"{wish.done} from the command line, by {by}"
    with cli.client() as client:
        # All are found before the first is changed: a typing error changes nothing.
        find = find_either if wish.task else find_job
        for thing in [find(client, text) for text in ids]:
            _change(client, thing, wish, reason)


def _change(client: Client, thing: Job | Task, wish: _Wish, reason: str) -> None:
    if isinstance(thing, Job):
        client.set_job_status(thing.id, JobStatusChange(wish.job, reason))
        click.echo(f"{wish.done} job {short(thing.id)} ({thing.name})")
    elif wish.task is not None:
        client.set_task_status(thing.id, TaskStatusChange(wish.task, reason))
        click.echo(f"{wish.done} task {short(thing.id)} ({thing.name})")
