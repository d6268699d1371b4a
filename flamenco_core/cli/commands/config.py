"""``flamenco config``: what is set, by whom, and whether a file is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flamenco_core.cli.commands.config_set import set_settings
from flamenco_core.cli.context import as_json, debug_option, settings_options
from flamenco_core.cli.output import print_json, print_table
from flamenco_core.errors import ConfigError

if TYPE_CHECKING:
    from flamenco_core.config import Loaded
    from flamenco_core.config.listing import Listed
    from flamenco_core.manager.settings import ManagerSettings

__all__ = ["config"]


@click.group()
def config() -> None:
    """Show, check, describe and change the settings of a Manager."""


@config.command()
@settings_options
@as_json
@debug_option
def show(config: Path | None, data: Path | None, as_json: bool) -> None:
    """List every setting with its value and where that is from; secrets are masked."""
    from flamenco_core.cli.settings import manager_settings
    from flamenco_core.config.listing import all_settings

    loaded = _with_plugins(manager_settings(config=config, data=data))
    listed = list(all_settings(loaded))
    for problem in _problems(loaded):
        click.echo(f"flamenco: {problem}", err=True)
    if as_json:
        print_json(listed)
        return
    print_table(["setting", "value", "from", "a change counts"], map(_row, listed), empty="none")


@config.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@debug_option
@click.pass_context
def check(context: click.Context, file: Path) -> None:
    """Check a settings file, the sections of plugins too; nothing is started."""
    from flamenco_core.manager.settings import load_manager_settings

    try:
        loaded = _with_plugins(load_manager_settings(file, environ={}))
    except ConfigError as error:
        click.echo(str(error))
        context.exit(1)
    problems = list(_problems(loaded))
    for problem in problems:
        click.echo(problem)
    for remark in (*loaded.notes, *loaded.unknown()):
        click.echo(remark)
    if problems:
        context.exit(1)
    click.echo(f"{file}: fine")


@config.command()
@debug_option
def schema() -> None:
    """Print the JSON schema of the settings, the sections of plugins too."""
    from flamenco_core.config.schema import schema_of
    from flamenco_core.manager.settings import ManagerSettings, load_manager_settings

    loaded = _with_plugins(load_manager_settings(environ={}))
    click.echo(json.dumps(schema_of(ManagerSettings, loaded.sections, loaded.live), indent=2))


config.add_command(set_settings)


def _with_plugins(loaded: Loaded[ManagerSettings]) -> Loaded[ManagerSettings]:
    """Let the plugins take their sections; nothing is opened before a Manager starts."""
    from flamenco_core.cli.from_plugins import say_nothing
    from flamenco_core.manager import create_manager

    say_nothing()
    create_manager(loaded)
    return loaded


def _problems(loaded: Loaded[ManagerSettings]) -> Iterator[str]:
    for plugin, kind in loaded.sections.items():
        try:
            loaded.section(plugin, kind)
        except ConfigError as error:
            yield str(error)


def _row(setting: Listed) -> list[str]:
    source = "command line" if setting.source == "argument" else setting.source
    stated_by = {"default": "default", "file": setting.where}
    origin = stated_by.get(setting.source, f"{source}: {setting.where}")
    when = "has no effect yet" if setting.acts == "not yet" else setting.acts
    return [setting.key, _in_words(setting.value), origin, when]


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(value)  # the names are enough here; --json has all of it
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
