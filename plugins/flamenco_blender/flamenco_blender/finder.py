"""Find a Blender on this machine, and make sure that it answers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec

import anyio
import attrs

from flamenco_blender import places

__all__ = ["BPY_PROGRAM", "ENVIRONMENT", "Blender", "BlenderFinder", "Candidate", "version_of"]

ENVIRONMENT = "FLAMENCO_BLENDER"
"""Environment variable that names the Blender to use."""

BPY_PROGRAM = (sys.executable, "-m", "flamenco_blender.bpy_blender")
"""Blender as a Python module behind our own command line."""

ANSWER_SECONDS = 10


@attrs.frozen(kw_only=True)
class Blender:
    """A Blender that answers: how to start it, which it is, where it came from."""

    argv: tuple[str, ...]
    version: str
    origin: str


@attrs.frozen
class Candidate:
    """A program that may be a Blender."""

    argv: tuple[str, ...]
    origin: str


@attrs.define(kw_only=True)
class BlenderFinder:
    """Looks for Blender once, and keeps what it found.

    The order: the Worker's settings, ``FLAMENCO_BLENDER``, ``PATH``, the usual places of
    the platform, the ``bpy`` wheel. Who names one explicitly gets that one or none: a
    farm must not render with another version by accident.
    """

    exe: str = ""
    env: Mapping[str, str] = attrs.field(factory=lambda: os.environ)
    complaints: list[str] = attrs.field(factory=list)
    _found: Blender | None = None

    async def find(self) -> Blender | None:
        """Return a Blender that answers, or `None`; `complaints` then says why."""
        if self._found is None:
            self._found = await self._look()
        return self._found

    def candidates(self) -> Iterator[Candidate]:
        """Yield where a Blender may be, the best first."""
        if explicit := self.exe or self.env.get(ENVIRONMENT, ""):
            origin = "setting plugins.blender.exe" if self.exe else f"environment {ENVIRONMENT}"
            yield Candidate((places.program_in(explicit),), origin)
            return
        path = self.env.get("PATH", os.defpath)
        if on_path := places.on_path(places.PROGRAM, path):
            yield Candidate((on_path,), "PATH")
        for program in places.usual_places():
            yield Candidate((program,), "usual place")
        if find_spec("bpy"):
            yield Candidate(BPY_PROGRAM, "bpy module")

    async def _look(self) -> Blender | None:
        self.complaints.clear()
        for candidate in self.candidates():
            if version := await version_of(candidate.argv):
                return Blender(argv=candidate.argv, version=version, origin=candidate.origin)
            self.complaints.append(
                f"{' '.join(candidate.argv)} ({candidate.origin}) does not answer --version"
            )
        return None


async def version_of(argv: tuple[str, ...]) -> str | None:
    """Return the version that *argv* reports, or `None` if it is no Blender.

    It has ten seconds to print a line that starts with ``Blender``.
    """
    with anyio.move_on_after(ANSWER_SECONDS):
        try:
            answer = await anyio.run_process(
                [*argv, "--version"],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        except OSError:
            return None
        return _version_in(answer.stdout.decode(errors="replace"))
    return None


def _version_in(output: str) -> str | None:
    for line in output.splitlines():
        if line.startswith("Blender "):
            return line.removeprefix("Blender ").strip()
    return None
