"""Sub-commands that plugins bring; loaded only for a name that the core does not have."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import import_module

import click

from flamenco_core import builtin
from flamenco_core.offers.subcommand import Subcommand
from flamenco_core.plugins import Plugins, Side

__all__ = ["SIDES", "installed", "loaded", "say_nothing", "subcommand", "subcommands"]

SIDES: tuple[Side, Side] = ("manager", "worker")


def installed(side: Side) -> Plugins:
    """Load the installed plugins of one side; a broken one is told of, and is off."""
    plugins = Plugins(side)
    plugins.load_installed()
    return plugins


def say_nothing() -> None:
    """Do not write about broken plugins: the caller lists them, or need not know."""
    logging.getLogger("flamenco_core.plugins").addHandler(logging.NullHandler())


def loaded(side: Side) -> Plugins:
    """Load the built-in and installed plugins of one side, with as many offers as can be."""
    if side == "worker":
        from flamenco_core.worker.app import create_worker

        plugins = create_worker().worker.plugins
    else:
        plugins = Plugins(side)
        for module in builtin.MANAGER:
            name = builtin.plugin_name(module)
            plugins.register(import_module(module), name, origin="built-in")
        plugins.load_installed()
    plugins.registered("register_subcommands", host=None)
    return plugins


def subcommands() -> Iterator[tuple[str, Subcommand]]:
    """Yield what the plugins of both sides offer, each with the plugin's name."""
    # A broken plugin is the business of `flamenco plugins`, not of every typing error.
    say_nothing()
    seen = set()
    for side in SIDES:
        plugins = installed(side)
        for name, offer in plugins.registered("register_subcommands", host=None).items():
            if name not in seen:
                seen.add(name)
                yield plugins.owner_of("register_subcommands", name) or "", offer


def subcommand(name: str) -> click.Command | None:
    """Return a plugin's sub-command, or None if no plugin has it."""
    for plugin, offer in subcommands():
        if offer.name == name:
            command = offer.load()
            if not isinstance(command, click.Command):
                raise click.ClickException(f"plugin {plugin!r}: {name!r} is no click command")
            return command
    return None
