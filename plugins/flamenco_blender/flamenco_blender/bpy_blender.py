"""A Blender without Blender: its command line on top of the ``bpy`` module.

Run it as ``flamenco-blender ARGS...`` or ``python -m flamenco_blender.bpy_blender
ARGS...``. It takes Blender's options in Blender's order, prints what Blender prints, and
exits like it.
"""

# ruff: noqa: T201 - what this prints is a program's output

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO

from flamenco_blender.bpy_arguments import Quit, walk
from flamenco_blender.bpy_report import FrameReport
from flamenco_blender.bpy_session import Session

__all__ = ["main", "run"]


def run(argv: Sequence[str], bpy: Any) -> int:
    """Carry out a command line; return the exit code."""
    if not {"-v", "--version", "-h", "--help"} & set(argv):
        print(f"Blender {bpy.app.version_string}")
    report = FrameReport(bpy)
    report.listen()
    try:
        walk(argv, Session(bpy, report))
    except Quit as quit:
        return _ended(quit.code, told=quit.told)
    return _ended(0, told=True)


def main() -> NoReturn:
    """Be Blender."""
    argv = sys.argv[1:]
    # Scripts look for their own arguments behind "--" in all of sys.argv.
    sys.argv = ["blender", *argv]
    _write_lines(sys.stdout)
    code = 1
    try:
        code = run(argv, _module())
    except KeyboardInterrupt:
        code = 130
    # The border to whatever bpy raises: without a word, nobody could find the cause.
    except Exception:
        traceback.print_exc()
    finally:
        # Whatever happens: an exit through the interpreter's teardown can crash or hang.
        _leave(code)


def _module() -> Any:
    try:
        import bpy  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        print(f"Error: cannot import bpy: {error}")
        print("Install it with: pip install 'flamenco-blender[bpy]'")
        _leave(1)
    return bpy


def _ended(code: int, *, told: bool) -> int:
    if told:
        print("\nBlender quit")
    return code


def _write_lines(stream: TextIO) -> None:
    # Our lines and those that bpy prints from C keep their order only if none is held back.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(line_buffering=True)


def _leave(code: int) -> NoReturn:
    """End without teardown.

    With a handler registered, bpy 4.2 crashes and 4.5 hangs when the interpreter ends.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(OSError, AttributeError):
        # What C code has printed into a pipe would be lost.
        ctypes.CDLL("ucrtbase" if os.name == "nt" else None).fflush(None)
    _remove_temporary()
    os._exit(code)


def _remove_temporary() -> None:
    # Blender itself would at the end of its teardown, which this does not come to.
    if (bpy := sys.modules.get("bpy")) is not None and (folder := bpy.app.tempdir):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
