"""A `Run` that remembers."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence

import attrs

__all__ = ["Execution", "Record"]


@attrs.frozen(kw_only=True)
class Execution:
    """A program that was run. ``env`` is what the command added to the environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str | None = None


@attrs.define
class Record:
    """What a command did: a `Run` for tests.

    Programs are really run unless *answers* is given: then it is called with the argv and
    returns the lines of output, or raises `CommandError` in place of the program.
    """

    lines: list[str] = attrs.field(factory=list)
    """The log. Output of programs stands without process ids, so that tests can compare."""
    activities: list[str] = attrs.field(factory=list)
    outputs: list[str] = attrs.field(factory=list)
    frames: list[int | None] = attrs.field(factory=list)
    """Of each of the outputs."""
    executed: list[Execution] = attrs.field(factory=list)
    steps: int = 0
    answers: Callable[[Sequence[str]], Sequence[str]] | None = None
    environment: Mapping[str, str] = attrs.field(factory=dict)
    """What plugins add for the task's programs."""

    async def log(self, line: str) -> None:
        """Remember a line."""
        self.lines.append(line)

    async def activity(self, text: str) -> None:
        """Remember what the task is doing."""
        self.activities.append(text)

    async def step(self, count: int = 1) -> None:
        """Count steps."""
        self.steps += count

    async def output(self, path: str, *, frame: int | None = None) -> None:
        """Remember an image."""
        self.outputs.append(path)
        self.frames.append(frame)

    async def execute(
        self,
        argv: Sequence[str],
        *,
        on_line: Callable[[str], object] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        """Run the program, or let *answers* stand in for it; remember both."""
        self.executed.append(Execution(argv=tuple(argv), env=dict(env or {}), cwd=cwd))

        async def handle(_: int, line: str) -> None:
            self.lines.append(line)
            if on_line is not None and inspect.isawaitable(result := on_line(line)):
                await result

        if self.answers is not None:
            for line in self.answers(argv):
                await handle(0, line)
            return
        from flamenco_core.clock import SystemClock
        from flamenco_core.worker.process import Launch, run_program

        whole = {**os.environ, **self.environment, **(env or {})}
        await run_program(Launch(argv=argv, env=whole, cwd=cwd, grace=1), handle, SystemClock())
