"""``flamenco worker``: this machine renders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flamenco_core.cli.context import DEFAULT_URL, URL_VARIABLE, Cli, debug_option, pass_cli
from flamenco_core.cli.logs import LEVELS, start_logging

__all__ = ["worker"]


@click.command()
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
@pass_cli
def worker(cli: Cli, /, config: Path | None, strict: bool, log_level: str, **given: Any) -> int:
    """Run a Worker on this machine.

    Ctrl+C stops it: the running task goes back to the farm. A second one does not wait.
    """
    import anyio

    from flamenco_core.cli.settings import must_exist
    from flamenco_core.config import load_settings
    from flamenco_core.worker.app import create_worker, run_with_signals
    from flamenco_core.worker.settings import WorkerSettings

    start_logging(log_level)
    path = must_exist(config) or Path("flamenco-worker.yaml")
    if (types := given.pop("task_types")) is not None:
        given["task_types"] = [name.strip() for name in types.split(",") if name.strip()]
    if cli.url != DEFAULT_URL:
        # 'flamenco --manager URL worker' means the same as 'flamenco worker --manager URL'.
        given["manager_url"] = given["manager_url"] or cli.url
    settings = load_settings(path, WorkerSettings, overrides=given).settings
    app = create_worker(settings, strict=strict)
    return anyio.run(run_with_signals, app)
