"""The sub-commands, by name; each is imported when it is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import click

from flamenco_core.cli.context import URL_VARIABLE, debug_option, manager_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["SECTIONS", "flamenco"]

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "The farm": {
        "manager": "Run a Manager on this machine.",
        "worker": "Run a Worker on this machine.",
        "farm": "Run a Manager and a Worker on this machine.",
        "demo": "Render a small film with a farm of its own.",
        "workers": "List the workers; approve, merge and look into them.",
        "worker-token": "Make, list and revoke tokens that let Workers join.",
        "db": "Back up, check or restore the Manager's database.",
        "apply": "Make a farm as a file says: tags, workers, settings.",
    },
    "Jobs": {
        "submit": "Submit a Blender file as a job.",
        "jobs": "List jobs, or show one.",
        "tasks": "List the tasks of a job.",
        "why": "Say why a job, task or worker is not at work.",
        "log": "Print the log of a task.",
        "pause": "Pause jobs: running tasks end, no more are started.",
        "cancel": "Cancel jobs or tasks.",
        "requeue": "Run jobs or tasks again.",
    },
    "Plugins": {
        "plugins": "List the plugins, and what is wrong with them.",
        "commands": "List the commands that tasks can run here.",
        "job-types": "List, show, export, compare and check job types.",
        "new-plugin": "Write the files of a new plugin.",
    },
    "More": {
        "config": "Show, check and describe settings.",
        "completion": "Print the completion script for a shell.",
        "version": "Show the versions.",
    },
}
_MODULES = {"cancel": "control", "pause": "control", "requeue": "control"}
CORE = {name: text for section in SECTIONS.values() for name, text in section.items()}


class Program(click.Group):
    """Finds the core's sub-commands first, then those of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the core's sub-commands."""
        return list(CORE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one sub-command; plugins are asked for what the core does not have."""
        word = cmd_name.replace("-", "_")
        if cmd_name in CORE:
            module = import_module(f"flamenco_core.cli.commands.{_MODULES.get(cmd_name, word)}")
            command: click.Command = getattr(module, word)
            command.short_help = CORE[cmd_name]
            return command
        from flamenco_core.cli.from_plugins import subcommand

        return subcommand(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say what may have been meant by a name that does not exist."""
        name = args[0]
        if (command := self.get_command(ctx, name)) is not None:
            return name, command, args[1:]
        if name.startswith("-"):
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        close = get_close_matches(name, CORE, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else " 'flamenco --help' lists them."
        raise click.UsageError(f"There is no command {name!r}, here or in a plugin.{hint}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list in ``--help`` without importing what it lists."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()), col_max=14)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of sub-commands without importing them."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(n, help=h) for n, h in CORE.items() if n.startswith(incomplete)]
        return names or click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Plugins may bring more commands: 'flamenco plugins' lists them.",
)
@click.version_option(package_name="flamenco-core", prog_name="flamenco")
@partial(manager_option, envvar=URL_VARIABLE)
@debug_option
def flamenco() -> None:
    """Flamenco: a render farm for Blender studios."""
