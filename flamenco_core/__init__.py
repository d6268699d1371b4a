"""Flamenco: a render farm for Blender studios, whose every feature is a plugin.

This module is the plugin author's world; everything else is found from here. Names are
imported when they are first used: ``flamenco --help`` needs none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flamenco_core.errors import CommandError, FlamencoError, JobTypeError
    from flamenco_core.hookspecs import hookimpl
    from flamenco_core.offers import (
        Action,
        Author,
        Command,
        Identity,
        JobType,
        Problem,
        Run,
        Service,
        Setting,
        Submission,
        Variable,
        setting,
    )

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Author",
    "Command",
    "CommandError",
    "FlamencoError",
    "Identity",
    "JobType",
    "JobTypeError",
    "Problem",
    "Run",
    "Service",
    "Setting",
    "Submission",
    "Variable",
    "hookimpl",
    "setting",
]

_ERRORS = {"CommandError", "FlamencoError", "JobTypeError"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = "errors" if name in _ERRORS else "hookspecs" if name == "hookimpl" else "offers"
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
