"""``flamenco plugins``: what is installed, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import click

from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import print_json, print_table

__all__ = ["plugins"]


@click.command()
@click.option("--remote", is_flag=True, help="Those of the running Manager, not of this machine.")
@as_json
@asks_manager
@pass_cli
@click.pass_context
def plugins(context: click.Context, cli: Cli, remote: bool, as_json: bool) -> None:
    """List the plugins, and what is wrong with them.

    The exit code is 1 if one of this machine's plugins is broken.
    """
    found = _remote(cli) if remote else _local()
    if as_json:
        print_json(found)
    else:
        columns = ["name", "side", "state", "origin", "version", "offers", "error"]
        print_table(columns, [_row(plugin) for plugin in found], empty="no plugins")
    if any(plugin["state"] == "off" for plugin in found):
        context.exit(1)


def _remote(cli: Cli) -> list[dict[str, Any]]:
    from flamenco_core.wire.converter import unstructure

    with cli.client() as client:
        return [{"side": "manager"} | unstructure(plugin) for plugin in client.plugins()]


def _local() -> list[dict[str, Any]]:
    import attrs

    from flamenco_core.cli.from_plugins import SIDES, loaded, say_nothing

    say_nothing()
    found = []
    for side in SIDES:
        for info in loaded(side):
            found.append({"side": side} | attrs.asdict(info))
    return sorted(found, key=lambda plugin: (plugin["name"], plugin["side"]))


def _row(plugin: dict[str, Any]) -> list[object]:
    offers = ", ".join(plugin["offers"] or plugin["hooks"])
    facts = [plugin[key] for key in ("name", "side", "state", "origin")]
    return [*facts, plugin.get("version"), offers, plugin.get("error")]
