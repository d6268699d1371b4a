"""``flamenco jobs blocklist`` and ``flamenco workers blocklist``: who gets no more tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flamenco_core.cli.complete import job_ids
from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import local_time, print_json, print_table, short
from flamenco_core.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from flamenco_core.client import Client
    from flamenco_core.wire.blocklist import JobBlocklistEntry, WorkerBlocklistEntry

__all__ = ["of_job", "of_worker"]

_COLUMNS = ["task type", "since", "until", "by", "why"]


@click.command("blocklist")
@click.argument("job", shell_complete=job_ids)
@click.option("--add", metavar="WORKER", help="Give it no more tasks from this job.")
@click.option("--remove", metavar="WORKER", help="Let it have tasks from this job again.")
@click.option(
    "--task-type", metavar="TYPE", help="Of which type; with --remove, all types if left out."
)
@click.option("--for", "age", metavar="AGE", help="How long, as 2h or 3d; else for good.")
@click.option("--reason", metavar="TEXT", help="Why; people see it.")
@as_json
@asks_manager
@pass_cli
def of_job(
    cli: Cli,
    /,
    job: str,
    add: str | None,
    remove: str | None,
    task_type: str | None,
    age: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Show or change which workers get no more tasks of a type from JOB.

    A task that a blocked worker runs goes on.
    """
    from flamenco_core.cli.ids import find_job

    _refuse_nonsense(add, remove, task_type, age, reason)
    with cli.client() as client:
        id = find_job(client, job).id
        if add is not None and task_type is not None:
            _add(client, id, add, task_type, age, reason)
        elif remove is not None:
            _remove(client, id, remove, task_type)
        found = client.blocklist(id)
    if as_json:
        print_json(found)
        return
    rows = [[entry.worker_name, *_facts(entry)] for entry in found]
    print_table(["worker", *_COLUMNS], rows, empty="nobody is blocked")


def _refuse_nonsense(
    add: str | None, remove: str | None, task_type: str | None, age: str | None, reason: str | None
) -> None:
    if add is not None and remove is not None:
        raise click.UsageError("Give --add or --remove, not both.")
    if add is not None and task_type is None:
        raise click.UsageError("With --add, say for which --task-type.")
    if add is None and (age is not None or reason is not None):
        raise click.UsageError("--for and --reason belong to --add.")
    if add is None and remove is None and task_type is not None:
        raise click.UsageError("--task-type belongs to --add or --remove.")


def _add(
    client: Client, job: str, worker: str, task_type: str, age: str | None, reason: str | None
) -> None:
    from flamenco_core.cli.worker_ids import find_worker
    from flamenco_core.wire.blocklist import JobBlocklistAddition

    entry = JobBlocklistAddition(
        worker_id=find_worker(client, worker).id,
        task_type=task_type,
        reason=reason,
        seconds=None if age is None else _seconds(age),
    )
    client.add_to_blocklist(job, [entry])


def _seconds(age: str) -> int:
    from flamenco_core.config.age import parse_age

    try:
        return parse_age(age)
    except ValueError as error:
        raise BadRequest(f"--for: {error}") from error


def _remove(client: Client, job: str, worker: str, task_type: str | None) -> None:
    from flamenco_core.cli.worker_ids import find_worker

    one = find_worker(client, worker)
    entries = [
        entry
        for entry in client.blocklist(job)
        if entry.worker_id == one.id and task_type in (None, entry.task_type)
    ]
    if not entries:
        kind = f" for tasks of type {task_type!r}" if task_type else ""
        raise NotFound(f"worker {one.name} is not on this job's blocklist{kind}")
    client.remove_from_blocklist(job, entries)


@click.command("blocklist")
@click.argument("worker")
@click.option("--clear", is_flag=True, help="Take it off all of them.")
@as_json
@asks_manager
@pass_cli
def of_worker(cli: Cli, /, worker: str, clear: bool, as_json: bool) -> None:
    """Show from which jobs WORKER gets no more tasks of a type, and why."""
    from flamenco_core.cli.worker_ids import find_worker

    with cli.client() as client:
        id = find_worker(client, worker).id
        if clear:
            client.clear_blocklist(id)
        found = client.blocklist_of_worker(id)
    if as_json:
        print_json(found)
        return
    rows = [[short(one.job_id), one.job_status, *_facts(one), one.job_name] for one in found]
    columns = ["job", "status", *_COLUMNS, "name"]
    print_table(columns, rows, empty="it is on no blocklist")


def _facts(entry: JobBlocklistEntry | WorkerBlocklistEntry) -> list[object]:
    return [
        entry.task_type,
        local_time(entry.added_at),
        local_time(entry.expires_at) or "removed",
        entry.added_by or "the Manager",
        entry.reason,
    ]
