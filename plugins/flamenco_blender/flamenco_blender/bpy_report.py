"""Say what Blender 5's module keeps to itself while it renders.

``bpy`` 5.x prints ``Saved:`` lines only; the programs, and ``bpy`` 4.x, also print a line
for each change of the render, one at the end of each frame, and skipped frames.
"""

# ruff: noqa: T201 - what this prints is a program's output

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["FrameReport", "line_of"]


def line_of(frame: int, info: str) -> str:
    """Return the line that Blender prints for the render's state *info*."""
    # The module passes on the end-of-frame line through the same handler.
    return f" {info}" if info.startswith("Time:") else f"Fra:{frame} {info}"


class FrameReport:
    """Prints how a render goes on, in the words of Blender's program."""

    def __init__(self, bpy: Any) -> None:
        self._bpy = bpy
        self._silent = bpy.app.version >= (5, 0, 0)
        self._expected: Iterator[int] = iter(())

    def listen(self) -> None:
        """Hear of frames from now on, also after another file is opened."""
        if not self._silent:
            return
        handlers = self._bpy.app.handlers

        # Functions: the mark that makes a handler outlive a file does not stick to methods.
        @handlers.persistent  # type: ignore[untyped-decorator]
        def stats(info: str, *_: object) -> None:
            self._stats(info)

        @handlers.persistent  # type: ignore[untyped-decorator]
        def starts(*_: object) -> None:
            self._starts()

        handlers.render_stats.append(stats)
        handlers.render_pre.append(starts)

    def begin(self, frames: Iterable[int]) -> None:
        """Expect *frames* to be rendered; what is not, was there already."""
        self._expected = iter(frames)

    def end(self) -> None:
        """Take note that the render is over."""
        for frame in self._expected:
            self._skipped(frame)

    def _stats(self, info: str) -> None:
        print(line_of(self._frame(), info))

    def _starts(self) -> None:
        for frame in self._expected:
            if frame == self._frame():
                return
            self._skipped(frame)

    def _skipped(self, frame: int) -> None:
        if self._silent:
            path = self._bpy.context.scene.render.frame_path(frame=frame)
            print(f'skipping existing frame "{path}"')

    def _frame(self) -> int:
        return int(self._bpy.context.scene.frame_current)
