"""Find Blender for a farm's settings, and make sure that what was found is one.

Nothing is run but ``--version``, for ten seconds at most, and only programs that are called
Blender: whoever may ask for a check must not be able to start any program of this machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from flamenco_core import platform
from flamenco_core.errors import FlamencoError
from flamenco_core.manager.first_start.patience import within
from flamenco_core.wire.setup import BlenderPathCheckResult, BlenderPathSource

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager

__all__ = ["check_blender", "find_blenders"]

LIMIT = 10.0
"""Seconds in which Blender has to say which version it is."""
LONGEST = 64 * 1024
"""Bytes of output that are looked at."""
_INSIDE = (platform.BLENDER, "blender", "Contents/MacOS/Blender")
_VERSION = re.compile(rb"^Blender [^\r\n]*", re.MULTILINE)


class _Unusable(Exception):
    """Why this is no Blender to use, and what to do."""


async def find_blenders(manager: Manager) -> list[BlenderPathCheckResult]:
    """Return the Blenders of this machine that answer, the best first."""
    found: list[BlenderPathCheckResult] = []
    seen = set()
    async for path, source in _candidates(manager):
        result = await _checked("", path, source)
        real = await within(LIMIT, os.path.realpath, result.path)
        if result.is_usable and real not in seen:
            seen.add(real)
            found.append(result)
    return found


async def check_blender(text: str) -> BlenderPathCheckResult:
    """Say whether *text* starts a Blender: a command, a program, or its folder."""
    is_command = not re.search(r"[\\/]", text)
    source = BlenderPathSource.PATH if is_command else BlenderPathSource.INPUT
    result = await _checked(text, text.strip(), source)
    return _worded(result, f"Found {result.cause}") if result.is_usable else result


async def _candidates(manager: Manager) -> AsyncIterator[tuple[str, BlenderPathSource]]:
    if associated := platform.blend_association():
        yield associated, BlenderPathSource.FILE_ASSOCIATION
    if on_path := await within(LIMIT, shutil.which, platform.BLENDER):
        yield on_path, BlenderPathSource.PATH
    if named := os.environ.get("FLAMENCO_BLENDER"):
        yield named, BlenderPathSource.INPUT
    try:
        # Plugins know where Blender usually is.
        argv = await manager.plugins.find("find_program", name="blender", given="", host=manager)
    except FlamencoError:
        argv = None
    if argv and len(argv) == 1:
        yield argv[0], BlenderPathSource.SYSTEM


async def _checked(input: str, path: str, source: BlenderPathSource) -> BlenderPathCheckResult:
    result = BlenderPathCheckResult(input=input, path="", source=source, is_usable=False, cause="")
    try:
        # Longer than the program gets: also to look for it can hang.
        program, version = await within(LIMIT + 2, _ask, path)
    except _Unusable as error:
        return _worded(result, str(error))
    except TimeoutError:
        return _worded(result, f"It did not answer within {LIMIT:.0f} seconds")
    except OSError as error:
        reason = error.strerror or str(error)
        return _worded(result, f"There was an error running the command: {reason}")
    return BlenderPathCheckResult(
        input=input, path=program, source=source, is_usable=True, cause=version
    )


def _worded(result: BlenderPathCheckResult, cause: str) -> BlenderPathCheckResult:
    return BlenderPathCheckResult(
        input=result.input,
        path=result.path,
        source=result.source,
        is_usable=result.is_usable,
        cause=cause,
    )


# -- in a thread of its own ------------------------------------------------------------------


def _ask(text: str) -> tuple[str, str]:
    program = _program(text)
    return program, _version(program)


def _program(text: str) -> str:
    if not text:
        raise _Unusable("Blender could not be found: type the command or the path that starts it")
    if text.startswith(("\\\\", "//")):
        raise _Unusable("Programs are not run from network names (UNC); give the share a drive")
    if "\0" in text:
        raise _Unusable("The path has a NUL character in it, which no path can have")
    if not re.search(r"[\\/]", text):
        if not (found := shutil.which(text)):
            raise _Unusable(f"Blender could not be found: there is no command {text!r} on PATH")
        return _named_blender(found)
    path = Path(text).expanduser()
    if path.is_dir():
        inside = [path / name for name in _INSIDE if (path / name).is_file()]
        if not inside:
            raise _Unusable("Blender could not be found: there is none in this folder")
        path = inside[0]
    if not path.is_file():
        raise _Unusable("Blender could not be found: there is no such file")
    return _named_blender(str(path))


def _named_blender(program: str) -> str:
    if "blender" not in Path(program).name.lower():
        raise _Unusable(
            "Only programs with 'blender' in their name are tried out; to use this one all the"
            " same, write it to the variable 'blender' in the settings file"
        )
    return program


def _version(program: str) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("FLAMENCO_")}
    process = platform.spawn([program, "--version"], env=environ)
    ended = threading.Timer(LIMIT, platform.kill_group, [process.pid])
    ended.daemon = True
    ended.start()
    try:
        output = _beginning_of(process)
    finally:
        ended.cancel()
        # It has said what we want to know; some builds take their time to end.
        platform.kill_group(process.pid)
        process.wait()
    if found := _VERSION.search(output):
        return found[0].decode(errors="replace").strip()
    raise _Unusable(
        "There was an error running the command: it did not say which Blender it is"
        f" within {LIMIT:.0f} seconds"
    )


def _beginning_of(process: subprocess.Popen[bytes]) -> bytes:
    output = b""
    pipe = process.stdout
    assert pipe is not None  # it was asked for
    with pipe:
        while len(output) < LONGEST and (part := pipe.read(4096)):
            output += part
            if (found := _VERSION.search(output)) and found.end() < len(output):
                break
    return output
