"""``flamenco log``: what a task has written."""

from __future__ import annotations

import codecs

import click

from flamenco_core.cli.context import Cli, asks_manager, pass_cli
from flamenco_core.client import Client
from flamenco_core.domain.statuses import DONE

__all__ = ["log"]


@click.command()
@click.argument("task")
@click.option("--follow", "-f", is_flag=True, help="Go on printing until the task has ended.")
@click.option("--tail", is_flag=True, help="Only the last lines.")
@asks_manager
@pass_cli
def log(cli: Cli, task: str, follow: bool, tail: bool) -> None:
    """Print the log of a task.

    TASK is an id or the beginning of one, or JOB/3 for the third task of a job.
    """
    from flamenco_core.cli.ids import find_task

    with cli.client() as client:
        found = find_task(client, task)
        if tail and not follow:
            click.echo(client.log_tail(found.id), nl=False)
            return
        printer = _Printer(client, found.id, tail=tail)
        printer.more()
        if follow:
            _follow(cli, client, found.id, printer)


def _follow(cli: Cli, client: Client, task_id: str, printer: _Printer) -> None:
    from flamenco_core.client import Watch

    with Watch(client, "tasks,logs", task=task_id, poll=cli.poll) as watch:
        # The status is read first: what is in the log after that is all there will be.
        while client.task(task_id).status not in DONE:
            printer.more()
            watch.wait()
        printer.more()


class _Printer:
    """Prints what is new in a log, from the last byte that was printed."""

    def __init__(self, client: Client, task_id: str, *, tail: bool) -> None:
        self._client, self._task_id = client, task_id
        self._offset = 0
        # A chunk may end within a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        if tail and (info := client.log_info(task_id)):
            self._offset = max(0, info.size - len(client.log_tail(task_id).encode()))

    def more(self) -> None:
        """Print what was added."""
        data = self._client.log_from(self._task_id, self._offset)
        self._offset += len(data)
        if text := self._decoder.decode(data):
            click.echo(text, nl=False)
