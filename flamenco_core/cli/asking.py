"""Ask before something is lost."""

from __future__ import annotations

import sys

import click

__all__ = ["confirm_loss"]


def confirm_loss(what: str, *, yes: bool) -> None:
    """Ask whether *what*, such as "delete 3 jobs", is meant; *yes* answers that.

    Raises `click.UsageError` where nobody can be asked, `click.Abort` for a no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"This would {what}; say --yes if that is meant.")
    click.confirm(f"{what[0].upper()}{what[1:]}?", abort=True, err=True)
