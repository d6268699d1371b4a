"""Flamenco: a render farm for Blender studios, whose every feature is a plugin.

This module is the plugin author's world; everything else is found from here.
"""

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
