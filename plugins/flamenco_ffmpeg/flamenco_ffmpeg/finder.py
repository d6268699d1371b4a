"""Find an FFmpeg on this machine, and make sure that it answers."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import anyio
import attrs

__all__ = ["ENVIRONMENT", "FFmpeg", "FFmpegFinder", "is_plain_ffmpeg", "version_of"]

ENVIRONMENT = "FLAMENCO_FFMPEG"
"""Environment variable that names the FFmpeg to use."""

ANSWER_SECONDS = 5

# Flamenco names the files in its tools folder in Go's words.
_SYSTEMS = {"win32": "windows"}
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@attrs.frozen(kw_only=True)
class FFmpeg:
    """An FFmpeg that answers: its program, its version, where it came from."""

    exe: str
    version: str
    origin: str


def _program_folders() -> tuple[Path, ...]:
    programs = (Path(sys.argv[0]), Path(sys.argv[0]).resolve(), Path(sys.executable))
    return tuple(dict.fromkeys(program.absolute().parent for program in programs))


@attrs.define(kw_only=True)
class FFmpegFinder:
    """Looks for FFmpeg once, and keeps what it found.

    The order: the Worker's settings, ``FLAMENCO_FFMPEG``, a folder ``tools`` beside the
    program, ``PATH``, the one in the ``imageio-ffmpeg`` wheel. Who names one explicitly
    gets that one or none.
    """

    exe: str = ""
    env: Mapping[str, str] = attrs.field(factory=lambda: os.environ)
    folders: tuple[Path, ...] = attrs.field(factory=_program_folders)
    complaints: list[str] = attrs.field(factory=list)
    _found: FFmpeg | None = None

    async def find(self) -> FFmpeg | None:
        """Return an FFmpeg that answers, or `None`; `complaints` then says why."""
        if self._found is None:
            self._found = await self._look()
        return self._found

    def candidates(self) -> Iterator[tuple[str, str]]:
        """Yield programs that may be FFmpeg, and where they are from; the best first."""
        if explicit := self.exe or self.env.get(ENVIRONMENT, ""):
            origin = "setting plugins.ffmpeg.exe" if self.exe else f"environment {ENVIRONMENT}"
            yield str(Path(explicit).expanduser()), origin
            return
        for folder in self.folders:
            for name in tool_names():
                if (folder / "tools" / name).is_file():
                    yield str(folder / "tools" / name), "tools folder"
        if on_path := shutil.which("ffmpeg", path=self.env.get("PATH", os.defpath)):
            yield on_path, "PATH"
        if bundled := _bundled():
            yield bundled, "imageio-ffmpeg wheel"

    async def _look(self) -> FFmpeg | None:
        self.complaints.clear()
        for exe, origin in self.candidates():
            if version := await version_of(exe):
                return FFmpeg(exe=exe, version=version, origin=origin)
            self.complaints.append(f"{exe} ({origin}) does not answer -version")
        return None


def tool_names(system: str = sys.platform, machine: str = platform.machine()) -> list[str]:
    """Return the names that FFmpeg has in a tools folder, the most special first."""
    system, machine = _SYSTEMS.get(system, system), machine.lower()
    machine = _MACHINES.get(machine, machine)
    suffix = ".exe" if system == "windows" else ""
    return [f"ffmpeg{part}{suffix}" for part in (f"-{system}-{machine}", f"-{system}", "")]


async def version_of(exe: str) -> str | None:
    """Return the version that a program reports, or `None` if it is no FFmpeg.

    It has five seconds to print a first line that starts with ``ffmpeg version``.
    """
    with anyio.move_on_after(ANSWER_SECONDS):
        try:
            answer = await anyio.run_process(
                [exe, "-version"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
            )
        except OSError:
            return None
        first = answer.stdout.decode(errors="replace").partition("\n")[0]
        if first.startswith("ffmpeg version "):
            return first.removeprefix("ffmpeg version ").split(" ")[0]
    return None


def is_plain_ffmpeg(exe: str) -> bool:
    """Say whether a task asks for whatever FFmpeg there is, instead of one by path."""
    return exe.lower() in ("ffmpeg", "ffmpeg.exe")


def _bundled() -> str | None:
    if find_spec("imageio_ffmpeg") is None:
        return None
    # Only when there is no other: it is an extra of this plugin.
    import imageio_ffmpeg  # type: ignore[import-untyped, import-not-found, unused-ignore]

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        return None
