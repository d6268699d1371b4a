"""Blender's command line, as far as farms use it: the options, and the order they act in.

Blender acts on its arguments one after another: ``-o`` before a file is overwritten by
what the file says. A few, such as ``-b`` and ``-y``, count wherever they stand.
"""

# ruff: noqa: T201 - what this prints is a program's output

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import attrs

__all__ = ["OPTIONS", "Actions", "BadValue", "Option", "Quit", "help_text", "number", "walk"]


class Quit(Exception):
    """Blender ends now; *told* says whether it prints that it does."""

    def __init__(self, code: int, *, told: bool = True) -> None:
        super().__init__(code)
        self.code = code
        self.told = told


class BadValue(ValueError):
    """An option's value makes no sense; Blender says so and goes on."""


class Actions(Protocol):
    """What carries the options out; each method takes the option's values as texts."""

    def load(self, path: str) -> None:
        """Open a blend file."""


@attrs.frozen
class Option:
    """One option: its spellings, how many values follow, the method that acts on it.

    Without *act* it is understood and has no effect on a Blender without windows.
    """

    names: tuple[str, ...]
    act: str = ""
    values: int = 0
    help: str = ""
    early: bool = False


OPTIONS: tuple[Option, ...] = (
    Option(("-v", "--version"), "version", help="Print the version and end.", early=True),
    Option(("-h", "--help", "/?"), "help", help="Print this text and end.", early=True),
    Option(("--factory-startup",), "factory", help="Do not read the user's settings.", early=True),
    Option(("-y", "--enable-autoexec"), "autoexec", help="Run scripts in files.", early=True),
    Option(("-Y", "--disable-autoexec"), "no_autoexec", help="Run no scripts.", early=True),
    Option(("-t", "--threads"), "threads", 1, "Render with N threads, 0 for all.", early=True),
    Option(("-E", "--engine"), "engine", 1, "Set the render engine."),
    Option(("-S", "--scene"), "scene", 1, "Set the scene."),
    Option(("-o", "--render-output"), "output", 1, "Set where frames go; # is a digit."),
    Option(("-F", "--render-format"), "format", 1, "Set the file format."),
    Option(("-x", "--use-extension"), "extension", 1, "Add the file extension: 1 or 0."),
    Option(("-s", "--frame-start"), "start", 1, "Set the first frame."),
    Option(("-e", "--frame-end"), "end", 1, "Set the last frame."),
    Option(("-j", "--frame-jump"), "jump", 1, "Render each Nth frame."),
    Option(("-a", "--render-anim"), "render_anim", help="Render from first to last frame."),
    Option(("-f", "--render-frame"), "render_frame", 1, "Render 1,3..5,+2,-1."),
    Option(("-P", "--python"), "python_file", 1, "Run a Python file."),
    Option(("--python-expr",), "python_expr", 1, "Run a Python text."),
    Option(("--python-text",), "python_text", 1, "Run a text block of the file."),
    Option(("--python-exit-code",), "exit_code", 1, "End with N if Python fails."),
    Option(("--addons",), "addons", 1, "Enable add-ons: a,b,c."),
    # Understood, without effect: there are no windows, no sound and no logs of its own.
    Option(("-b", "--background", "-noaudio", "-con", "--start-console", "-q", "--quiet")),
    Option(("-w", "--window-border", "-W", "--window-fullscreen", "-M", "--window-maximized")),
    Option(("--no-window-focus", "--no-native-pixels", "--python-use-system-env")),
    Option(("--offline-mode", "--online-mode", "--disable-crash-handler")),
    Option(("--disable-abort-handler", "--log-show-basename", "--log-show-backtrace")),
    Option(("--log-show-timestamp", "--log-show-source", "--log-show-memory")),
    Option(("-setaudio", "--log", "--log-level", "--log-file", "--verbose"), values=1),
    Option(("--debug-value", "--gpu-backend", "--gpu-vsync", "--app-template"), values=1),
    Option(("-p", "--window-geometry"), values=4),
)

_BY_NAME = {name: option for option in OPTIONS for name in option.names}
_DEBUG = Option(("-d", "--debug"))


def walk(argv: Sequence[str], actions: Actions) -> None:
    """Carry out a command line, without the program's name.

    Raises `Quit` where Blender ends before the last argument.
    """
    steps = list(_steps(argv))
    # As in Blender, "-f 1 file.blend -b -y" knows of -y before anything happens.
    for early in (True, False):
        for option, values in steps:
            if option.early is early:
                _act(option, values, actions)


def number(text: str, name: str) -> int:
    """Read a whole number; raises `BadValue` in Blender's words."""
    try:
        return int(text)
    except ValueError:
        raise BadValue(f"not a number '{name} {text}'.") from None


def help_text() -> str:
    """Return what ``--help`` prints."""
    lines = ["Usage: flamenco-blender [args ...] [file] [args ...]", ""]
    for option in OPTIONS:
        if option.help:
            lines.append(
                f"{' or '.join(option.names) + ' <value>' * option.values:34}{option.help}"
            )
    lines.append(f"{'--':34}The rest is for scripts.")
    return "\n".join(lines)


def _steps(argv: Sequence[str]) -> Iterator[tuple[Option, tuple[str, ...]]]:
    at = 0
    while at < len(argv) and argv[at] != "--":
        option = _option(argv[at])
        # A file is its own value.
        first = at if option.act == "load" else at + 1
        values = tuple(argv[first : first + option.values])
        at = first + option.values
        yield option, values


def _option(word: str) -> Option:
    if word.startswith("--debug") and word not in _BY_NAME:
        return _DEBUG
    return _BY_NAME.get(word, _DEBUG if word == "-d" else Option((word,), "load", 1))


def _act(option: Option, values: tuple[str, ...], actions: Actions) -> None:
    if not option.act:
        return
    act: Callable[..., None] = getattr(actions, option.act)
    try:
        if len(values) < option.values:
            raise BadValue(f"a value must follow '{' / '.join(option.names)}'.")
        act(*values)
    except BadValue as error:
        print(f"\nError: {error}")
