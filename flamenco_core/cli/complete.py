"""Completion of words that only the Manager knows: ids and job types."""

from __future__ import annotations

from collections.abc import Callable

import click
from click.shell_completion import CompletionItem

from flamenco_core.cli.context import Cli
from flamenco_core.errors import FlamencoError

__all__ = ["job_ids", "job_types"]

_PATIENCE = 1.0
"""Seconds that somebody who pressed Tab may wait."""


def job_ids(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:  # fmt: skip
    """Complete the ids of jobs, newest first."""

    def ask(cli: Cli) -> list[CompletionItem]:
        with cli.client(timeout=_PATIENCE) as client:
            jobs = sorted(client.jobs(), key=lambda job: job.updated, reverse=True)
        return [CompletionItem(job.id, help=f"{job.name} ({job.status})") for job in jobs]

    return _matching(context, incomplete, ask)


def job_types(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:  # fmt: skip
    """Complete the names of job types."""

    def ask(cli: Cli) -> list[CompletionItem]:
        with cli.client(timeout=_PATIENCE) as client:
            return [CompletionItem(kind.name, help=kind.label) for kind in client.job_types()]

    return _matching(context, incomplete, ask)


def _matching(
    context: click.Context, incomplete: str, ask: Callable[[Cli], list[CompletionItem]]
) -> list[CompletionItem]:
    cli = context.find_object(Cli) or Cli()
    try:
        return [item for item in ask(cli) if item.value.startswith(incomplete)]
    except FlamencoError:
        return []
