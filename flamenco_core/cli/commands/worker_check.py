"""``flamenco worker check``: try out what this machine can do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flamenco_core.cli.context import as_json, debug_option
from flamenco_core.cli.output import print_json, print_table

if TYPE_CHECKING:
    from flamenco_core.worker.check import Checked
    from flamenco_core.worker.host import Worker

__all__ = ["check"]

WORDS = {"passed": "ok"}


@click.command()
@click.option(
    "--storage",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The farm's shared folder, as this machine sees it; all is tried in there.",
)
@click.option("--log", "show_log", is_flag=True, help="Show the logs of what failed.")
@as_json
@debug_option
@click.pass_obj
def check(obj: Any, /, storage: Path | None, show_log: bool, as_json: bool) -> int:
    """Render, encode and write something tiny on this machine.

    Nobody else is needed for it: no Manager, no job. A Worker may run beside it. Ends with
    1 if something failed.
    """
    import anyio

    from flamenco_core.domain.trials import TrialStatus

    worker = obj.prepare_worker()
    found = anyio.run(_all, worker, storage.absolute() if storage else None)
    if as_json:
        print_json(found)
    else:
        _show(worker, found, storage, show_log)
    return int(any(one.status is TrialStatus.FAILED for one in found))


async def _all(worker: Worker, storage: Path | None) -> list[Checked]:
    from flamenco_core.worker.check import check_machine

    found = []
    async for one in check_machine(worker, storage):
        if sys.stderr.isatty():
            click.echo(f"{one.name}: {WORDS.get(one.status, one.status)}", err=True)
        found.append(one)
    return found


def _show(worker: Worker, found: list[Checked], storage: Path | None, show_log: bool) -> None:
    rows = [
        [one.name, WORDS.get(one.status, one.status), _took(one), one.version, one.message]
        for one in found
    ]
    print_table(["what", "result", "seconds", "version", "details"], rows, empty="nothing to try")
    for one in found:
        if one.picture:
            click.echo(f"picture: {one.picture}")
        if show_log and one.status == "failed" and one.log:
            click.echo(f"\nlog of {one.name}:\n{one.log}")
    if storage is None:
        hint = "tried in its own folder only; --storage DIR tries the farm's shared folder"
        click.echo(f"{worker.name}: {hint}", err=True)


def _took(one: Checked) -> str:
    return f"{one.seconds:.1f}" if one.seconds else ""
