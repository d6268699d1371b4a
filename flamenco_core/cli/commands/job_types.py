"""``flamenco job-types``: what can be submitted, and help for those who write job types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from flamenco_core.cli.complete import job_types as complete_job_types
from flamenco_core.cli.context import Cli, as_json, asks_manager, debug_option, pass_cli
from flamenco_core.cli.output import print_json, print_table
from flamenco_core.errors import NotFound
from flamenco_core.wire.job_types import AvailableJobSetting, JobTypeProblem

if TYPE_CHECKING:
    from flamenco_core.cli.job_type_diff import Difference, Version
    from flamenco_core.client import Client

__all__ = ["job_types"]


@click.group(invoke_without_command=True)
@as_json
@asks_manager
@click.pass_context
def job_types(context: click.Context, as_json: bool) -> None:
    """List, show, export, compare and check job types; without a word it lists them."""
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
        broken = _broken(client)
    if as_json:
        print_json(found)
    else:
        rows = [[kind.name, kind.label, kind.description] for kind in found]
        print_table(["name", "label", "description"], rows, empty="no job types")
    for problem in broken:
        click.echo(f"{problem.name} is not offered: {problem.message}", err=True)


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
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@as_json
@debug_option
def export(folder: Path, names: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Write the sources of this machine's job types to a folder; of all without a NAME.

    They are a start for some of your own. A script may keep its name, and then replaces
    what it was made of. Give one in Python another name: two of one name stop the
    Manager.
    """
    from flamenco_core.cli.job_type_files import copy_sources

    written = [str(path) for path in copy_sources(folder, names, force=force)]
    if as_json:
        print_json(written)
        return
    for path in written:
        click.echo(path)


@job_types.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_job_types)
@click.option("--against", metavar="FILE|URL", help="A job type's file, or another Manager.")
@as_json
@asks_manager
@pass_cli
@click.pass_context
def diff(
    context: click.Context, cli: Cli, names: tuple[str, ...], against: str | None, as_json: bool
) -> None:
    """Compare the Manager's job types with a file, another Manager, or this machine.

    Compares settings, and sources by their SHA-256. Says line by line what is different
    in the source if this machine has the one that the Manager uses. Ends with 1 if
    something is different.
    """
    from flamenco_core.cli import job_type_diff

    with cli.client() as client:
        old = job_type_diff.in_manager(client)
    new = _other_side(cli, against)
    if against and _names_a_file(against) and not names:
        # A file has one or two; that the Manager has others is nothing to be told.
        names = tuple(new)
    found = job_type_diff.differences(old, new, names)
    if as_json:
        print_json(found)
    else:
        _print_differences(found)
    context.exit(0 if all(difference.is_same for difference in found) else 1)


@job_types.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@as_json
@debug_option
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Check the files of job types, in Python or JavaScript; nothing is submitted.

    Says FILE:LINE and what is wrong there; ends with 1 if something is.
    """
    from flamenco_core.cli.job_type_check import problems_in

    found = {file: problems_in(file) for file in files}
    if as_json:
        print_json([problem for problems in found.values() for problem in problems])
    else:
        for file, problems in found.items():
            click.echo("\n".join(map(str, problems)) or f"{file}: fine")
    context.exit(1 if any(found.values()) else 0)


def _other_side(cli: Cli, against: str | None) -> dict[str, Version]:
    from flamenco_core.cli import job_type_diff

    if against is None:
        return job_type_diff.on_this_machine()
    if _names_a_file(against):
        return job_type_diff.in_file(Path(against))
    with Cli(against, transport=cli.transport).client() as client:
        return job_type_diff.in_manager(client)


def _names_a_file(against: str) -> bool:
    return Path(against).suffix in (".py", ".js") or Path(against).exists()


def _print_differences(found: list[Difference]) -> None:
    for difference in found:
        if difference.is_same:
            click.echo(f"{difference.name}: same")
        for change in difference.changes:
            click.echo(f"{difference.name}: {change}")
        if difference.source == "other":
            click.echo(f"{difference.name}: its source is another one")
        for line in difference.lines:
            click.echo(line)


def _broken(client: Client) -> list[JobTypeProblem]:
    try:
        return client.job_types_state().problems
    except NotFound:  # Flamenco's own Manager does not tell
        return []


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
