"""Commands of task type ``misc``: ``echo``, ``sleep`` and, where allowed, ``exec``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import anyio
import attrs

from flamenco_core import Command, Run, hookimpl

if TYPE_CHECKING:
    from flamenco_core.worker.host import Worker

__all__ = ["Echo", "Exec", "Sleep"]


@attrs.frozen
class Echo(Command):
    """Write a message to the task's log."""

    name = "echo"
    message: Any

    async def run(self, run: Run) -> None:
        """Log the message, as JSON writes it; a text gets quotes."""
        await run.log(f"echo: {json.dumps(self.message, ensure_ascii=False)}")


@attrs.frozen
class Sleep(Command):
    """Do nothing for some seconds; fractions of a second are cut off."""

    name = "sleep"
    duration_in_seconds: float = attrs.field()

    @duration_in_seconds.validator
    def _not_negative(self, _: Any, value: float) -> None:
        if value < 0:
            raise ValueError(
                f'parameter "duration_in_seconds" has invalid value {value:g}: is negative'
            )

    async def run(self, run: Run) -> None:
        """Wait, then say so."""
        seconds = int(self.duration_in_seconds)
        await anyio.sleep(seconds)
        await run.log(f"slept {_spelled(seconds)}")


@attrs.frozen
class Exec(Command):
    """Run any program. Workers offer it only if their settings say ``exec_allowed``."""

    name = "exec"
    exe: str
    args: list[str | int | float | bool] = attrs.field(factory=list)

    async def run(self, run: Run) -> None:
        """Run it to its end; its output goes to the task's log."""
        await run.execute([self.exe, *map(_argument, self.args)])


def _argument(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spelled(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


@hookimpl
def register_commands(worker: Worker) -> Iterable[type[Command]]:
    """Offer the harmless ones, and ``exec`` if the machine's owner allows it."""
    return [Echo, Sleep, Exec] if worker.settings.exec_allowed else [Echo, Sleep]
