"""``flamenco workers schedule``: when workers sleep."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import click

from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import local_time, print_json
from flamenco_core.cli.spans import conditions_in_words, span_of, spans_in_words
from flamenco_core.client import Client
from flamenco_core.errors import BadRequest, NotFound
from flamenco_core.wire.sleep import SleepSpan, WorkerSleepSchedule

__all__ = ["schedule"]

_NONE = WorkerSleepSchedule(is_active=True, days_of_week="", start_time="", end_time="")


@click.command()
@click.argument("worker", required=False)
@click.option(
    "--tag",
    metavar="NAME",
    help="Workers with this tag that have no schedule of their own, instead of one.",
)
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
@click.option("--forget", is_flag=True, help="Remove it; a worker follows its tags then.")
@as_json
@asks_manager
@pass_cli
def schedule(
    cli: Cli,
    /,
    worker: str | None,
    tag: str | None,
    forget: bool,
    as_json: bool,
    also: tuple[str, ...],
    exceptions: tuple[str, ...],
    **changes: str | bool | None,
) -> None:
    """Show or change when a worker sleeps. What is not said stays as it is.

    A worker without a schedule of its own follows that of its tags, the first by name. A
    change acts at once. Give WORKER as a name, or an id or its beginning.
    """
    given = {key: value for key, value in changes.items() if value is not None}
    more: dict[str, object] = {}
    if also:
        more["more_spans"] = [_span(text) for text in also if text]
    if exceptions:
        more["exceptions"] = [text for text in exceptions if text]
    if forget and (given or more):
        raise click.UsageError("--forget removes the schedule; give it alone.")
    with cli.client() as client:
        holder = _holder(client, worker, tag)
        if forget:
            holder.forget(holder.id)
        found = holder.fetch(holder.id)
        if given or more:
            holder.store(holder.id, attrs.evolve(found or _NONE, **given, **more))  # type: ignore[arg-type]
            found = holder.fetch(holder.id)
    _show(holder, found, as_json)


@attrs.frozen(kw_only=True)
class _Holder:
    """Who has the schedule: a worker or a tag."""

    kind: str
    id: str
    words: str
    fetch: Callable[[str], WorkerSleepSchedule | None]
    store: Callable[[str, WorkerSleepSchedule], None]
    forget: Callable[[str], None]


def _holder(client: Client, worker: str | None, tag: str | None) -> _Holder:
    from flamenco_core.cli.worker_ids import find_worker

    if (worker is None) == (tag is None):
        raise click.UsageError("Give a WORKER, or --tag.")
    if worker is not None:
        one = find_worker(client, worker)
        return _Holder(
            kind="worker",
            id=one.id,
            words=one.name,
            fetch=client.sleep_schedule,
            store=client.set_sleep_schedule,
            forget=client.forget_sleep_schedule,
        )
    return _Holder(
        kind="tag",
        id=_tag_id(client, str(tag)),
        words=f"tag {tag}",
        fetch=client.tag_sleep_schedule,
        store=client.set_tag_sleep_schedule,
        forget=client.forget_tag_sleep_schedule,
    )


def _tag_id(client: Client, name: str) -> str:
    known = {tag.name: tag.id for tag in client.tags()}
    if not (id := known.get(name)):
        raise NotFound(f"there is no tag {name!r}; there are: {', '.join(known) or 'none'}")
    return id


def _span(text: str) -> SleepSpan:
    try:
        return span_of(text)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _show(holder: _Holder, found: WorkerSleepSchedule | None, as_json: bool) -> None:
    if as_json:
        print_json({holder.kind: holder.id, "schedule": found})
    elif found is None:
        click.echo(f"{holder.words} has no sleep schedule")
    else:
        through = f" by tag {found.tag}" if found.tag else ""
        words = f"{', and '.join(spans_in_words(found))}{_conditions(found)}"
        click.echo(f"{holder.words} sleeps{through} {words}")


def _conditions(found: WorkerSleepSchedule) -> str:
    how = conditions_in_words(found)
    if not found.is_active:
        return f"{how}; switched off"
    return f"{how}; {found.status} until {local_time(found.next_change)}"
