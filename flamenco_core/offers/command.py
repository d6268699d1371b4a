"""The unit of work that a plugin gives to workers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol

__all__ = ["Command", "Run"]


class Run(Protocol):
    """What a running command may do to the outside world."""

    async def log(self, line: str) -> None:
        """Append *line* (text without its line end) to the task's log."""

    async def activity(self, text: str) -> None:
        """Say in a few words what the task is doing now."""

    async def step(self, count: int = 1) -> None:
        """Report *count* more steps done, for the progress bar."""

    async def output(self, path: str, *, frame: int | None = None) -> None:
        """Tell the Manager that the image file *path* was produced, of this frame."""

    async def execute(
        self,
        argv: Sequence[str],
        *,
        on_line: Callable[[str], object] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        """Run a program to its end and send its output to the task's log.

        *argv* is never given to a shell. *on_line* sees each line of the merged
        output; what it returns is awaited if it can be. *env* adds to the inherited
        environment. When the task is stopped, the program and all its children are
        ended politely, then by force.

        Raises `CommandError` when it cannot be started or exits with another code
        than 0.
        """


class Command(ABC):
    """A command *is* its parameters: subclass it as a frozen attrs class.

    The class docstring is the help text, the fields are the parameters that job types
    fill in, `run` does the work. A parameter that is missing, unknown or of the wrong
    type fails the task with its name before anything runs.
    """

    __slots__ = ()

    name: ClassVar[str]
    """Name on the wire, in kebab-case: ``blender-render``."""

    @abstractmethod
    async def run(self, run: Run) -> None:
        """Do the work. Raise `CommandError` to fail the task."""
