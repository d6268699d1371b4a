"""Runs the commands of a task, inside whatever the plugins wrap around it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from flamenco_core.errors import CommandError, FlamencoError, UnknownCommand
from flamenco_core.offers.command import Command, Run
from flamenco_core.offers.task import TaskToRun
from flamenco_core.worker.host import Worker
from flamenco_core.worker.parameters import build

__all__ = ["Executor", "alone", "reason_of"]


class Executor:
    """Turns names and parameters into running commands."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def command(self, name: str, parameters: Mapping[str, Any]) -> Command:
        """Return a command, ready to run.

        Raises `UnknownCommand`, or `CommandError` that names the wrong parameter.
        """
        kind = self._worker.commands.get(name)
        if kind is None:
            raise UnknownCommand(f'unknown command: "{name}"')
        allowed = self._worker.settings.commands
        if allowed is not None and name not in allowed:
            raise CommandError(
                f"command \"{name}\" is not allowed on this worker; see its setting 'commands'"
            )
        try:
            return build(kind, parameters)
        # A command's own converters and validators may raise anything; it is what is
        # wrong with the parameters all the same.
        except Exception as error:
            raise CommandError(f"{name}: {error}") from error

    async def run(self, task: TaskToRun, run: Run) -> None:
        """Run a task's commands in order; raises what the first failing one raised."""
        # All are built before any runs: a slip in the last one shows at once, not after
        # an hour of rendering.
        commands = [(self.command(c.name, c.parameters), c) for c in task.commands]
        async with AsyncExitStack() as stack:
            await self._worker.plugins.wrap(stack, "wrap_task", task=task, worker=self._worker)
            for command, wanted in commands:
                await command.run(run)
                if wanted.total_step_count == 0:
                    await run.step()


def alone(error: BaseException) -> BaseException:
    """Return the one error that a group of task groups has wrapped, else the group."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def reason_of(error: BaseException) -> str:
    """Return what went wrong, in one text for people."""
    error = alone(error)
    if isinstance(error, FlamencoError):
        return str(error)
    text = str(error)
    name = type(error).__name__
    # Errors that Python and libraries raise make sense only with their kind.
    return f"{name}: {text}" if text else name
