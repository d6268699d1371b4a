"""Plugins of one file each, in a folder beside the settings.

Whoever can write to the folder decides what the farm runs. So on POSIX neither the
folder nor a file in it may be writable by others than its owner and root.
"""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
from pathlib import Path
from types import ModuleType

from flamenco_core.errors import ConfigError
from flamenco_core.plugins import Plugins

__all__ = ["load_plugins_dir"]

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def load_plugins_dir(plugins: Plugins, folder: Path) -> None:
    """Load each ``*.py`` file of *folder* as one plugin, in the order of their names.

    A file's name without its ending is the plugin's; one that starts with ``_`` is none.
    A broken file is listed as off. Raises `ConfigError` for a folder that is missing or
    that others may write to.
    """
    if not folder.is_dir():
        raise ConfigError(f"plugins_dir: there is no folder {str(folder)!r}; make it")
    if problem := _unsafe(folder):
        raise ConfigError(f"plugins_dir: {problem}")
    for file in sorted(folder.glob("*.py")):
        if not file.name.startswith("_"):
            _load(plugins, file)


def _load(plugins: Plugins, file: Path) -> None:
    name = file.stem
    if name in plugins.blocked:
        plugins.register(ModuleType(name), name, origin="folder")
        return
    try:
        if problem := _unsafe(file):
            raise ConfigError(problem)
        module = _imported(file)
    # The border to other people's code: a file that cannot be read or run is listed.
    except (Exception, SystemExit) as error:
        plugins.off(name, "folder", error)
        return
    plugins.register(module, name, origin="folder")


def _imported(file: Path) -> ModuleType:
    # A prefix of its own, so that `json.py` in the folder does not stand in for json.
    name = f"flamenco_plugins_dir.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _unsafe(path: Path) -> str | None:
    """Say why *path* must not be trusted; links are followed."""
    if sys.platform == "win32":
        return None  # access is by lists there, which the mode does not show
    status = path.stat()
    if status.st_mode & _OTHERS:
        return f"others may write to {str(path)!r}; run: chmod go-w {str(path)!r}"
    if _owner(path) not in (0, os.geteuid()):
        return f"{str(path)!r} belongs to another user; run: chown {os.geteuid()} {str(path)!r}"
    return None


def _owner(path: Path) -> int:
    return path.stat().st_uid
