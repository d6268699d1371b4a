"""``flamenco worker``: this machine renders."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flamenco_core.cli.commands.worker_check import check
from flamenco_core.cli.context import DEFAULT_URL, URL_VARIABLE, Cli, debug_option
from flamenco_core.cli.logs import LEVELS, start_logging

if TYPE_CHECKING:
    from flamenco_core.worker.app import WorkerApp
    from flamenco_core.worker.host import Worker

__all__ = ["worker"]


@click.group(invoke_without_command=True)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings.  [default: flamenco-worker.yaml here, if it is there]",
)
@click.option(
    "--manager",
    "manager_url",
    metavar="URL",
    help="The Manager to work for; A,B if two share a database."
    f"  [env: {URL_VARIABLE}; default: the one in this network]",
)
@click.option("--home", metavar="DIR", help="Folder for what this Worker keeps.")
@click.option("--name", "worker_name", metavar="TEXT", help="Name on the farm.")
@click.option("--task-types", metavar="A,B", help="Only tasks of these types.")
@click.option("--strict", is_flag=True, help="Stop at the first broken plugin.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True)
@debug_option
@click.pass_context
def worker(
    context: click.Context, /, config: Path | None, strict: bool, log_level: str, **given: Any
) -> int:
    """Run a Worker on this machine; 'worker check' only tries out what it can do.

    Ctrl+C stops it: the running task goes back to the farm. A second one does not wait.
    """
    cli = context.ensure_object(Cli)
    prepare = partial(_prepare, cli, config, strict, given)
    if context.invoked_subcommand:
        context.obj = _Prepared(prepare)
        return 0
    import anyio

    from flamenco_core.worker.app import run_with_signals

    start_logging(log_level)
    return anyio.run(run_with_signals, prepare())


class _Prepared:
    """What sub-commands get of the options before their name."""

    def __init__(self, prepare: Callable[[], WorkerApp]) -> None:
        self._prepare = prepare

    def prepare_worker(self) -> Worker:
        """Return the Worker that would run here, with its plugins and settings."""
        return self._prepare().worker


def _prepare(cli: Cli, config: Path | None, strict: bool, given: dict[str, Any]) -> WorkerApp:
    from flamenco_core.cli.settings import must_exist
    from flamenco_core.config import load_settings
    from flamenco_core.worker.app import create_worker
    from flamenco_core.worker.settings import WorkerSettings

    path = must_exist(config) or Path("flamenco-worker.yaml")
    if (types := given.pop("task_types")) is not None:
        given["task_types"] = [name.strip() for name in types.split(",") if name.strip()]
    if cli.url != DEFAULT_URL:
        # 'flamenco --manager URL worker' means the same as 'flamenco worker --manager URL'.
        given["manager_url"] = given["manager_url"] or cli.url
    settings = load_settings(path, WorkerSettings, overrides=given).settings
    return create_worker(settings, strict=strict)


worker.add_command(check)
