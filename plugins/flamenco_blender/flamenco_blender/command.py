"""The command ``blender-render``."""

from __future__ import annotations

from typing import Any, ClassVar

import anyio
import attrs

from flamenco_blender.finder import BlenderFinder
from flamenco_blender.places import is_plain_blender, on_path
from flamenco_blender.progress import Progress
from flamenco_core import Command, CommandError, Run
from flamenco_core.domain.words import as_words, split_words

__all__ = ["BlenderRender"]


Word = str | int | float | bool
"""What job types put into lists of arguments; ``24`` is as good as ``"24"``."""


def _not_empty(_: Any, field: attrs.Attribute[Any], value: str) -> None:
    if not value.strip():
        raise ValueError(f'parameter "{field.alias}" must not be empty')


def _splits(_: Any, field: attrs.Attribute[Any], value: str) -> None:
    try:
        split_words(value)
    except ValueError as error:
        raise ValueError(f'parameter "{field.alias}" has invalid value: {error}') from error


@attrs.frozen(kw_only=True)
class BlenderRender(Command):
    """Run Blender: render frames of a blend file, or run a script in it.

    ``exe`` is a path, or just ``blender`` for the one of this machine. The command line is
    ``exe``, ``exeArgs`` (split like a shell does), ``argsBefore``, ``blendfile`` unless it
    is empty, ``args``.
    """

    name = "blender-render"
    finder: ClassVar[BlenderFinder] = BlenderFinder()

    exe: str = attrs.field(validator=_not_empty)
    exe_args: str = attrs.field(default="", alias="exeArgs", validator=_splits)
    args_before: list[Word] = attrs.field(factory=list, alias="argsBefore")
    blendfile: str
    args: list[Word] = attrs.field(factory=list)

    @classmethod
    def found_by(cls, finder: BlenderFinder) -> type[BlenderRender]:
        """Return this command, for a Worker whose Blender *finder* knows."""
        body = {"finder": finder, "__doc__": cls.__doc__, "__module__": cls.__module__}
        return attrs.frozen(kw_only=True)(type(cls.__name__, (cls,), body))

    async def run(self, run: Run) -> None:
        """Run Blender to its end; report frames, files, and what went wrong."""
        argv = [*await self._program(), *self._arguments()]
        progress = Progress(run=run, blendfile=self.blendfile)
        # Leaving this scope early ends Blender, as when the task is stopped.
        with anyio.CancelScope() as scope:
            progress.stop = scope.cancel
            try:
                await run.execute(argv, on_line=progress.see)
            except CommandError as error:
                raise CommandError(progress.explain(str(error))) from error
        if problem := progress.problem():
            raise CommandError(f"Blender rendered nothing useful: {problem}")

    def _arguments(self) -> list[str]:
        blendfile = [self.blendfile] if self.blendfile else []
        before = as_words(self.args_before)
        return [*split_words(self.exe_args), *before, *blendfile, *as_words(self.args)]

    async def _program(self) -> tuple[str, ...]:
        if not is_plain_blender(self.exe):
            return (self.exe,)
        if found := await self.finder.find():
            return found.argv
        # A wrapper script need not answer --version to be what this studio wants.
        if on_path(self.exe, self.finder.env.get("PATH", "")):
            return (self.exe,)
        raise CommandError(
            "there is no Blender on this machine; install it, set plugins.blender.exe in the"
            " Worker's settings, or pip install 'flamenco-blender[bpy]'"
        )
