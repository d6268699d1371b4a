"""``flamenco config set``: change settings of a Manager that works."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from flamenco_core.cli.context import Cli, asks_manager, pass_cli
from flamenco_core.errors import BadRequest

if TYPE_CHECKING:
    from flamenco_core.client import Client

__all__ = ["set_settings"]


@click.command("set")
@click.argument("changes", metavar="KEY=VALUE", nargs=-1, required=True)
@asks_manager
@pass_cli
def set_settings(cli: Cli, changes: tuple[str, ...]) -> None:
    """Change settings of a Manager that works, and its settings file.

    KEY is as in 'flamenco config show', VALUE as in the file; an empty one is the default.
    """
    wanted = dict(map(_change, changes))
    with cli.client() as client:
        _refuse_unknown(client, wanted)
        waiting = client.change_settings(_nested(wanted))
    click.echo("changed" if not waiting else "changed; these count after a restart of the Manager:")
    for key in waiting:
        click.echo(key)


def _change(text: str) -> tuple[str, Any]:
    from flamenco_core.config.nodes import plain
    from flamenco_core.config.yaml_file import yaml_text

    key, sign, value = text.partition("=")
    if not key or not sign:
        raise BadRequest(f"{text!r} is no change; write KEY=VALUE, such as task_timeout=20m")
    return key, plain(yaml_text(f"value: {value}", f"argument {key}")["value"])


def _refuse_unknown(client: Client, keys: Iterable[str]) -> None:
    # The Manager itself leaves out what it does not know: Flamenco's page may send more.
    known = [setting.key for setting in client.settings()]
    for key in keys:
        if key not in known:
            close = _nearest(key, known)
            hint = f"did you mean {close!r}?" if close else "see 'flamenco config show'"
            raise BadRequest(f"there is no setting {key!r}; {hint}")


def _nearest(key: str, known: list[str]) -> str:
    # A section that is right makes no name in it alike.
    section = key.rpartition(".")[0]
    names = {name.rpartition(".")[2]: name for name in known if name.rpartition(".")[0] == section}
    close = get_close_matches(key.rpartition(".")[2], names, n=1)
    return names[close[0]] if close else next(iter(get_close_matches(key, known, 1, 0.8)), "")


def _nested(wanted: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in wanted.items():
        *sections, name = key.split(".")
        inner = tree
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[name] = value
    return tree
