"""Programs and rights that rows need, and how they are brought here.

As root on Debian and its relatives what is missing is installed; anywhere else a row says
what it misses.
"""

from __future__ import annotations

import ctypes.util
import glob
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import attrs

from flamenco_core.testing.postgresql import find_binaries

__all__ = ["TOOLS", "faketime_library", "install_missing", "missing"]


def faketime_library() -> str | None:
    """Return the library that lies about the time, if it is here."""
    places = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    return places[0] if places else None


def _has_fuse() -> bool:
    library = ctypes.util.find_library("fuse3") or ctypes.util.find_library("fuse")
    wrapper = importlib.util.find_spec("mfusepy")
    return bool(library and wrapper and os.access("/dev/fuse", os.R_OK | os.W_OK))


@attrs.frozen
class Tool:
    """Something that a row needs, and the Debian package that has it, if one does."""

    is_here: Callable[[], bool]
    advice: str
    package: str = ""


TOOLS = {
    "linux": Tool(lambda: sys.platform == "linux", "Linux"),
    "root": Tool(lambda: hasattr(os, "geteuid") and os.geteuid() == 0, "root"),
    "strace": Tool(lambda: shutil.which("strace") is not None, "strace", "strace"),
    "fuse": Tool(_has_fuse, "FUSE (/dev/fuse, the package fuse3)", "fuse3"),
    "faketime": Tool(lambda: faketime_library() is not None, "libfaketime", "libfaketime"),
    "postgresql": Tool(lambda: find_binaries() is not None, "PostgreSQL", "postgresql"),
    "javascript": Tool(
        lambda: importlib.util.find_spec("flamenco_javascript") is not None,
        "the plugin flamenco_javascript",
    ),
}


def missing(needs: tuple[str, ...]) -> list[str]:
    """Return what of *needs* is not here, in words."""
    return [TOOLS[name].advice for name in needs if not TOOLS[name].is_here()]


def install_missing() -> str:
    """Install what is missing, if this user may; return what was done, in words."""
    wanted = [tool.package for tool in TOOLS.values() if tool.package and not tool.is_here()]
    if not wanted:
        return ""
    if not (TOOLS["root"].is_here() and shutil.which("apt-get")):
        return f"some rows will be skipped; install: {' '.join(wanted)}"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", *wanted]):
        done = subprocess.run(
            ["apt-get", "-y", *command], check=False, env=env, capture_output=True, text=True
        )
        if done.returncode:
            return f"apt-get could not install {' '.join(wanted)}: {done.stderr.strip()[-200:]}"
    return f"installed: {' '.join(wanted)}"
