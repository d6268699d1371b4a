"""``flamenco workers schedule``: when workers sleep."""

from __future__ import annotations

import attrs
import click

from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import local_time, print_json
from flamenco_core.cli.spans import conditions_in_words, span_of, spans_in_words
from flamenco_core.client import Client
from flamenco_core.errors import BadRequest, NotFound
from flamenco_core.wire.sleep import SleepSpan, WorkerSleepSchedule
from flamenco_core.wire.worker_mgt import WorkerSummary

__all__ = ["schedule"]

_NONE = WorkerSleepSchedule(is_active=True, days_of_week="", start_time="", end_time="")


@click.command()
@click.argument("worker", required=False)
@click.option("--tag", metavar="NAME", help="All workers with this tag, instead of one.")
@click.option("--on/--off", "is_active", default=None, help="Switch it on or off.")
@click.option("--days", "days_of_week", metavar="DAYS", help="Such as 'mo tu'; '' is every day.")
@click.option("--from", "start_time", metavar="HH:MM", help="When sleep begins; '' is midnight.")
@click.option("--to", "end_time", metavar="HH:MM", help="When it ends; may be the next day.")
@click.option(
    "--also",
    metavar="'DAYS HH:MM-HH:MM'",
    multiple=True,
    help="One more span; may be repeated, and replaces those there were. '' removes them.",
)
@click.option(
    "--except",
    "exceptions",
    metavar="DATE",
    multiple=True,
    help="A day on which no sleep begins; as with --also.",
)
@click.option("--time-zone", metavar="ZONE", help="Such as Europe/Amsterdam; '' is the Manager's.")
@click.option(
    "--finish-task/--at-once", default=None, help="Whether a running task is finished first."
)
@as_json
@asks_manager
@pass_cli
def schedule(
    cli: Cli,
    /,
    worker: str | None,
    tag: str | None,
    as_json: bool,
    also: tuple[str, ...],
    exceptions: tuple[str, ...],
    **changes: str | bool | None,
) -> None:
    """Show or change when a worker sleeps. What is not said stays as it is.

    A change acts at once. Give WORKER as a name, or an id or its beginning.
    """
    given = {key: value for key, value in changes.items() if value is not None}
    more: dict[str, object] = {}
    if also:
        more["more_spans"] = [_span(text) for text in also if text]
    if exceptions:
        more["exceptions"] = [text for text in exceptions if text]
    with cli.client() as client:
        for one in _workers(client, worker, tag):
            found = client.sleep_schedule(one.id)
            if given or more:
                new = attrs.evolve(found or _NONE, **given, **more)  # type: ignore[arg-type]
                client.set_sleep_schedule(one.id, new)
                found = client.sleep_schedule(one.id)
            _show(one, found, as_json)


def _workers(client: Client, worker: str | None, tag: str | None) -> list[WorkerSummary]:
    from flamenco_core.cli.worker_ids import find_worker

    if (worker is None) == (tag is None):
        raise click.UsageError("Give a WORKER, or --tag.")
    if worker is not None:
        return [find_worker(client, worker)]
    found = [one for one in client.workers() if tag in _tags(client, one)]
    if not found:
        raise NotFound(f"no worker has a tag {tag!r}")
    return found


def _tags(client: Client, worker: WorkerSummary) -> list[str]:
    return [tag.name for tag in client.worker(worker.id).tags or ()]


def _span(text: str) -> SleepSpan:
    try:
        return span_of(text)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _show(worker: WorkerSummary, found: WorkerSleepSchedule | None, as_json: bool) -> None:
    if as_json:
        print_json({"worker": worker.id, "schedule": found})
    elif found is None:
        click.echo(f"{worker.name} has no sleep schedule")
    else:
        click.echo(
            f"{worker.name} sleeps {', and '.join(spans_in_words(found))}{_conditions(found)}"
        )


def _conditions(found: WorkerSleepSchedule) -> str:
    how = conditions_in_words(found)
    if not found.is_active:
        return f"{how}; switched off"
    return f"{how}; {found.status} until {local_time(found.next_change)}"
