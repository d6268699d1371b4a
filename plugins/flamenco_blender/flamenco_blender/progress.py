"""Turn what Blender prints into steps, files, activities and reasons."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from flamenco_blender.output import (
    FileSaved,
    FrameDone,
    FrameStarted,
    Sign,
    Trouble,
    error_in,
    read_line,
)
from flamenco_core import Run

__all__ = ["Progress"]


@attrs.define(kw_only=True)
class Progress:
    """What is known of one run of Blender."""

    run: Run
    blendfile: str = ""
    stop: Callable[[], None] = lambda: None
    frame: int | None = None
    frames_done: int = 0
    troubles: list[Trouble] = attrs.field(factory=list)
    last_error: str = ""

    async def see(self, line: str) -> None:
        """Take notice of one line of output."""
        self.last_error = error_in(line) or self.last_error
        if (sign := read_line(line)) is not None:
            await self._react(sign)

    def problem(self) -> str | None:
        """Return why a run with exit code 0 is a failure all the same, or `None`."""
        for trouble in self.troubles:
            if trouble.when != "unless-rendered" or not self.frames_done:
                return trouble.text
        return None

    def explain(self, failure: str) -> str:
        """Return *failure* with the reason that Blender gave, if it gave one."""
        reason = self.problem() or self.last_error
        return f"{failure}: {reason}" if reason else failure

    async def _react(self, sign: Sign) -> None:
        match sign:
            case FrameStarted(number):
                await self._started(number)
            case FrameDone():
                self.frames_done += 1
                await self.run.step()
            case FileSaved(path):
                await self.run.output(path, frame=self.frame)
            case Trouble():
                self._note(sign)

    async def _started(self, number: int) -> None:
        # Blender says so many times a second; people need it once.
        if number != self.frame:
            self.frame = number
            await self.run.activity(f"Frame {number}")

    def _note(self, trouble: Trouble) -> None:
        if self._is_ours(trouble):
            self.troubles.append(trouble)
        if trouble.when == "stop":
            self.stop()

    def _is_ours(self, trouble: Trouble) -> bool:
        # Scripts may try to open other files, and get along without them.
        about_file = trouble.text.startswith(("cannot open", "not a blend file"))
        name = self.blendfile.replace("\\", "/").rpartition("/")[2]
        return not about_file or (bool(name) and name in trouble.text)
