"""``flamenco job-types``: what can be submitted, and help for those who write job types."""

from __future__ import annotations

from pathlib import Path

import click

from flamenco_core.cli.complete import job_types as complete_job_types
from flamenco_core.cli.context import Cli, as_json, asks_manager, debug_option, pass_cli
from flamenco_core.cli.output import print_json, print_table
from flamenco_core.errors import BadRequest
from flamenco_core.wire.job_types import AvailableJobSetting

__all__ = ["job_types"]


@click.group(invoke_without_command=True)
@as_json
@asks_manager
@click.pass_context
def job_types(context: click.Context, as_json: bool) -> None:
    """List, show, export and check job types; without a word it lists them."""
    if context.invoked_subcommand is None:
        context.invoke(list_, as_json=as_json)


@job_types.command("list")
@as_json
@asks_manager
@pass_cli
def list_(cli: Cli, as_json: bool) -> None:
    """List the job types of the Manager."""
    with cli.client() as client:
        found = sorted(client.job_types(), key=lambda kind: kind.name)
    if as_json:
        print_json(found)
        return
    rows = [[kind.name, kind.label, kind.description] for kind in found]
    print_table(["name", "label", "description"], rows, empty="no job types")


@job_types.command()
@click.argument("name", shell_complete=complete_job_types)
@as_json
@asks_manager
@pass_cli
def show(cli: Cli, name: str, as_json: bool) -> None:
    """Show the settings of a job type, for 'submit --set'."""
    with cli.client() as client:
        kind = client.job_type(name)
    if as_json:
        print_json(kind)
        return
    click.echo(f"{kind.label} ({kind.name})")
    if kind.description:
        click.echo(kind.description)
    click.echo()
    columns = ["setting", "type", "given by", "description"]
    print_table(columns, [_row(setting) for setting in kind.settings], empty="no settings")


@job_types.command()
@click.argument("name", required=False)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--all", "everything", is_flag=True, help="All that this machine has.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@debug_option
def export(name: str | None, folder: Path | None, everything: bool, force: bool) -> None:
    """Write the source of a job type to a folder: 'export NAME FOLDER', 'export --all FOLDER'.

    It is a start for one of your own. Give that another name: two job types of one name
    stop the Manager.
    """
    from flamenco_core.cli.job_type_files import copy_sources, sources

    if everything and folder is None:
        # With --all the only word is the folder.
        name, folder = None, Path(name) if name else None
    if folder is None or everything == (name is not None):
        raise click.UsageError("give NAME and FOLDER, or --all and FOLDER")
    found = sources()
    if name is not None and name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise BadRequest(f"there is no job type {name!r} on this machine; there are: {known}")
    wanted = {n: path for n, path in found.items() if name in (None, n)}
    for path in copy_sources(wanted, folder, force=force):
        click.echo(path)


@job_types.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@debug_option
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...]) -> None:
    """Check the files of job types, in Python or JavaScript; nothing is submitted."""
    from flamenco_core.cli.job_type_files import problems_in

    bad = False
    for file in files:
        problems = problems_in(file)
        bad = bad or bool(problems)
        for problem in problems or ["fine"]:
            click.echo(f"{file}: {problem}")
    context.exit(1 if bad else 0)


def _row(setting: AvailableJobSetting) -> list[object]:
    if setting.key == "blendfile":
        given = "the file that is submitted"
    elif setting.eval:
        given = "Blender"
    elif setting.default is not None:
        given = f"default {setting.default!r}"
    else:
        given = "you" if setting.required else "you, if you want to"
    about = setting.description or ""
    if setting.choices:
        about = f"{about} [{', '.join(setting.choices)}]".strip()
    return [setting.key, setting.type, given, about]
