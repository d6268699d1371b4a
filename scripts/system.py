"""Install the system packages that the whole test run needs, where that is possible.

For machines that are made for one run, such as CI: as root on Debian and its relatives it
installs what is missing; anywhere else it says what is.
"""

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

# What Blender's Python module is linked to: library and Debian package.
LIBRARIES = {
    "X11": "libx11-6",
    "Xrender": "libxrender1",
    "Xi": "libxi6",
    "xkbcommon": "libxkbcommon0",
    "SM": "libsm6",
    "Xfixes": "libxfixes3",
    "Xext": "libxext6",
    "Xxf86vm": "libxxf86vm1",
    "GL": "libgl1",
    "EGL": "libegl1",
}


def main() -> None:
    packages = missing()
    if not packages:
        return
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        sys.exit("Please install: " + " ".join(packages))
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for command in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", "-y", *command], check=True, env=env)


def missing() -> "list[str]":
    packages = []
    if not (shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))):
        packages.append("postgresql")
    if sys.platform == "linux":
        packages += [package for name, package in LIBRARIES.items() if not found(name)]
    return packages


def found(name: str) -> bool:
    """find_library needs ldconfig or a compiler, which a slim image may not have."""
    if ctypes.util.find_library(name):
        return True
    return any(Path("/usr/lib").glob("*/lib" + name + ".so.*"))


if __name__ == "__main__":
    main()
