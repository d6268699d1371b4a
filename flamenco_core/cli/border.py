"""From the shell and back: exit codes, and errors in one line.

0 is success, 1 a failure, 2 a wrong command line, 130 an interruption by Ctrl+C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from flamenco_core.cli.context import Cli
from flamenco_core.cli.group import flamenco
from flamenco_core.errors import FlamencoError

__all__ = ["INTERRUPTED", "run"]

INTERRUPTED = 130


def run(args: Sequence[str] | None = None, cli: Cli | None = None) -> int:
    """Run the program; *cli* is given by tests."""
    _print_anything()
    cli = cli or Cli()
    try:
        result = flamenco.main(args, prog_name="flamenco", standalone_mode=False, obj=cli)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        _say_click(error)
        return error.exit_code
    except BrokenPipeError:
        return _reader_left()
    # The border to the person at the terminal: nobody wants to read a traceback there.
    except Exception as error:
        if cli.debug:
            raise
        _say(error)
        return 1
    return result if isinstance(result, int) else 0


def _say_click(error: click.ClickException) -> None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    see = f"; see '{context.command_path} --help'" if context else ""
    click.echo(f"flamenco: {error.format_message().rstrip('.')}{see}", err=True)


def _say(error: Exception) -> None:
    known = isinstance(error, FlamencoError | OSError)
    text = " ".join(str(error).split()) if known else f"{type(error).__name__}: {error}"
    cure = "" if known else "; this is a bug, run with --debug for details"
    click.echo(f"flamenco: {text}{cure}", err=True)


def _print_anything() -> None:
    # A job may have any name; a terminal with a small character set must not end the program.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _reader_left() -> int:
    # As `flamenco jobs | head`: without this, Python complains once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
