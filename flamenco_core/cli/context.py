"""What every sub-command is given, and the options that most of them share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    import httpx

    from flamenco_core.client import Client

__all__ = [
    "DEFAULT_URL",
    "URL_VARIABLE",
    "Cli",
    "as_json",
    "asks_manager",
    "debug_option",
    "manager_option",
    "pass_cli",
    "settings_options",
]

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_URL = "http://127.0.0.1:8080"
URL_VARIABLE = "FLAMENCO_MANAGER_URL"


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class Cli:
    """The state of one call of the program; tests bring their own parts.

    ``poll`` is the pause in seconds between two looks at a Manager that sends no events.
    It is a plain class because importing attrs would take a third of the time of
    ``--help``.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        debug: bool = False,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = _pause,
        poll: float = 1.0,
    ) -> None:
        self.url = url
        self.debug = debug
        self.transport = transport
        self.pause = pause
        self.poll = poll

    def client(self, *, timeout: float = 10.0) -> Client:
        """Return a client for the Manager that was named."""
        from flamenco_core.client import Client

        return Client(self.url, timeout=timeout, transport=self.transport)


pass_cli = click.make_pass_decorator(Cli)


def _take_url(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Cli).url = value


def _take_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Cli).debug = True


def manager_option(command: F, *, envvar: str | None = None) -> F:
    """Add ``--manager URL``."""
    return click.option(
        "--manager",
        metavar="URL",
        # Only the program itself reads the variable: for a sub-command it would win over
        # what stands before its name.
        envvar=envvar,
        expose_value=False,
        is_eager=True,
        callback=_take_url,
        help=f"The Manager to ask.  [env: {URL_VARIABLE}; default: {DEFAULT_URL}]",
    )(command)


def debug_option(command: F) -> F:
    """Add ``--debug``."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_take_debug,
        help="Show the traceback of an error.",
    )(command)


def asks_manager(command: F) -> F:
    """Add the options of a sub-command that talks to a Manager."""
    return manager_option(debug_option(command))


def as_json(command: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON.")(command)


def settings_options(command: Any) -> Any:
    """Add the options that say which Manager's settings are meant."""
    config = click.option(
        "--config",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Settings.  [default: flamenco-manager.yaml here, if it is there]",
    )
    data = click.option(
        "--data",
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder for settings, database and logs.  [default: here]",
    )
    return config(data(command))
