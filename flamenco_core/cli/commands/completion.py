"""``flamenco completion``: let the shell complete commands, ids and job types."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]

_HOW = {
    "bash": 'eval "$(flamenco completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(flamenco completion zsh)"    # in ~/.zshrc, after compinit',
    "fish": "flamenco completion fish | source     # in ~/.config/fish/config.fish",
}


@click.command(epilog="\b\n" + "\n".join(_HOW.values()))
@click.argument("shell", type=click.Choice(list(_HOW)))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    Ids of jobs and names of job types are asked of the Manager, for a second at most.
    """
    from flamenco_core.cli.group import flamenco

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click cannot complete in {shell}")
    click.echo(kind(flamenco, {}, "flamenco", "_FLAMENCO_COMPLETE").source())
