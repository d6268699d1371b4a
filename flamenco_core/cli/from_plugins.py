"""Sub-commands that plugins bring; loaded only for a name that the core does not have."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flamenco_core.offers.subcommand import Subcommand
from flamenco_core.plugins import Plugins, Side

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager
    from flamenco_core.offers import JobTypeLike
    from flamenco_core.worker.host import Worker

__all__ = [
    "SIDES",
    "find_job_type",
    "find_program",
    "installed",
    "loaded",
    "local_job_types",
    "say_nothing",
    "subcommand",
    "subcommands",
]

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
    """Load the built-in and installed plugins of one side, with their offers."""
    plugins = _manager().plugins if side == "manager" else _worker().plugins
    plugins.registered("register_subcommands", host=None)
    return plugins


def local_job_types() -> list[JobTypeLike]:
    """Return the job types that a Manager on this machine would have."""
    import anyio

    return anyio.run(_manager().job_types.all)


def find_program(name: str, given: str = "") -> list[str] | None:
    """Ask the plugins of a Worker how to start a program; None if none of them knows."""
    import anyio

    say_nothing()
    plugins = installed("worker")

    async def find() -> Sequence[str] | None:
        answer: Sequence[str] | None = await plugins.find(
            "find_program", name=name, given=given, host=None
        )
        return answer

    found = anyio.run(find)
    return None if found is None else list(found)


def find_job_type(path: Path) -> JobTypeLike | None:
    """Ask the plugins of a Manager for the job type in a file; None if none knows its kind.

    Raises `JobTypeError` that says what is wrong with it.
    """
    import anyio

    say_nothing()
    plugins = installed("manager")

    async def find() -> JobTypeLike | None:
        answer: JobTypeLike | None = await plugins.find("find_job_type", path=path, host=None)
        return answer

    return anyio.run(find)


def _manager() -> Manager:
    from flamenco_core.manager import create_manager

    # Nothing is opened before it is started, and it never is.
    manager: Manager = create_manager().state.manager
    return manager


def _worker() -> Worker:
    from flamenco_core.worker.app import create_worker

    return create_worker().worker


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
