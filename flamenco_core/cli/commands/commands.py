"""``flamenco commands``: what tasks can run on this machine."""

from __future__ import annotations

from typing import Any, get_type_hints

import attrs
import click

from flamenco_core.cli.context import as_json, debug_option
from flamenco_core.cli.output import print_json, print_table

__all__ = ["commands"]


@click.command()
@as_json
@debug_option
def commands(as_json: bool) -> None:
    """List the commands that tasks can run here.

    These are what the Worker's plugins on this machine offer, with their parameters; those
    in brackets may be left out.
    """
    from flamenco_core.worker.app import create_worker

    worker = create_worker().worker
    found = [
        _described(name, command, worker.plugins.owner_of("register_commands", name))
        for name, command in sorted(worker.commands.items())
    ]
    if as_json:
        print_json(found)
        return
    columns = ["name", "plugin", "what it does", "parameters"]
    print_table(columns, [_row(command) for command in found], empty="no commands")


def _described(name: str, command: Any, plugin: str | None) -> dict[str, Any]:
    hints = get_type_hints(command)
    return {
        "name": name,
        "plugin": plugin,
        "help": (command.__doc__ or "").strip().partition("\n")[0],
        "parameters": [
            {
                "name": field.alias,
                "type": _type_name(hints.get(field.name)),
                "required": field.default is attrs.NOTHING,
            }
            for field in attrs.fields(command)
            if field.init
        ],
    }


def _type_name(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) and "[" not in str(hint) else str(hint)


def _row(command: dict[str, Any]) -> list[object]:
    names = [p["name"] if p["required"] else f"[{p['name']}]" for p in command["parameters"]]
    return [command["name"], command["plugin"], command["help"], " ".join(names)]
