"""A small piece of work that shows what a worker can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from flamenco_core.offers.task import CommandToRun

__all__ = ["Trial"]


def _nothing_to_prepare(folder: Path) -> None:
    """Leave the folder as it is."""


def _nothing_to_prove(folder: Path) -> str:
    """Be content with what the commands said."""
    return ""


@attrs.frozen(kw_only=True)
class Trial:
    """One step of a worker's test: commands to run, and how to see that they worked.

    It runs in an empty folder of its own. On a farm that is in the job storage: the Manager
    prepares and proves, a worker of any kind runs the commands. With ``flamenco worker
    check`` one machine does all of it.
    """

    name: str
    task_type: str
    commands: Callable[[str], Sequence[CommandToRun]]
    """Given the folder's path as the worker will see it, without a slash at its end."""
    prepare: Callable[[Path], None] = _nothing_to_prepare
    """Puts files into the folder."""
    prove: Callable[[Path], str] = _nothing_to_prove
    """Looks at what was made, and says what that is; raises `FlamencoError` or `OSError`."""
    version: str = ""
    """A regular expression for the log; its first group is a program's version."""
    picture: str = ""
    """Name of the image in the folder that people want to see afterwards."""
