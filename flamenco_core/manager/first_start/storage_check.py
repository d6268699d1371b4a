"""Find out whether a folder can be a farm's shared storage."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

import attrs

from flamenco_core.manager.first_start.patience import within

__all__ = ["Found", "check_storage"]

LIMIT = 10.0
"""Seconds; a network share that takes longer is of no use to a farm."""
SCARCE = 1 << 30
_PROBE = "flamenco-writability-test-"
# Not all of it is ASCII: some shares and file systems mangle what they do not expect.
_TEXT = "Flamenco was here: ünïcödé 木\n"


@attrs.frozen
class Found:
    """Whether a folder will do, and why, in words for people."""

    is_usable: bool
    cause: str


class _Unusable(Exception):
    """Why a folder will not do, and what would."""


async def check_storage(path: str) -> Found:
    """Look at a folder, and write, read, rename and remove a file in it.

    Never raises for a bad folder, and never takes longer than ten seconds. Raises `Busy`
    while too many checks hang.
    """
    try:
        return Found(True, await within(LIMIT, _check, path.strip()))
    except _Unusable as error:
        return Found(False, str(error))
    except TimeoutError:
        return Found(
            False,
            f"The folder did not answer within {LIMIT:.0f} seconds; is its network share mounted,"
            " and the server behind it up?",
        )
    except OSError as error:
        return Found(False, f"The folder cannot be used: {error.strerror or error}")


def _check(text: str) -> str:
    folder = _plausible(text)
    _try_out(folder)
    free = shutil.disk_usage(folder).free
    if free < SCARCE:
        return f"Directory checked successfully, but only {free >> 20} MB are free on its disk"
    return "Directory checked successfully"


def _plausible(text: str) -> Path:
    if not text:
        raise _Unusable("The path is empty; type the folder that all machines of the farm share")
    if text.startswith(("\\\\", "//")):
        raise _Unusable(
            "This is a network name (UNC), which Blender and many programs cannot use;"
            " give the share a drive letter or mount it, and type that path"
        )
    if "\0" in text:
        raise _Unusable("The path has a NUL character in it, which no path can have")
    folder = Path(text)
    if not folder.is_absolute():
        raise _Unusable(
            "The path is relative, so each machine would look somewhere else; type all of it,"
            f" such as {Path.cwd().anchor}{'render' if os.name == 'nt' else 'mnt/render'}"
        )
    if not folder.exists():
        raise _Unusable("The path does not exist; make the folder first, or mount its share")
    if not folder.is_dir():
        raise _Unusable("The path is not a directory; type the folder, not a file in it")
    return folder


def _try_out(folder: Path) -> None:
    name = _PROBE + secrets.token_hex(6)
    probe, renamed = folder / f"{name}.txt", folder / f"{name}-2.txt"
    try:
        step = "written to"
        with probe.open("x", encoding="utf-8") as file:
            file.write(_TEXT)
            file.flush()
            os.fsync(file.fileno())
        step = "renamed in"
        probe.replace(renamed)
        step = "read from"
        if renamed.read_text(encoding="utf-8") != _TEXT:
            raise _Unusable("A file in the folder was not read as it was written; the share is bad")
        step = "removed from"
        renamed.unlink()
    except OSError as error:
        raise _Unusable(
            f"Files cannot be {step} the folder by the user who runs the Manager:"
            f" {error.strerror or error}; allow that user to write there"
        ) from error
    finally:
        for left in (probe, renamed):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)
