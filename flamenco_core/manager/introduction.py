"""What Managers that share a database tell each other of themselves, and what must agree.

Secrets stay where they are: of each setting only a part of its checksum is told.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from flamenco_core import __version__
from flamenco_core.errors import ConfigError

if TYPE_CHECKING:
    from flamenco_core.manager.host import Manager
    from flamenco_core.manager.settings import ManagerSettings

__all__ = ["Introduction", "checksums_of", "differences", "introduce", "read_introduction"]

OWN = frozenset({"meta", "listen", "autodiscoverable", "database", "plugins_dir", "strict"})
"""Settings in which Managers of one farm may differ."""
STORAGE = "local_manager_storage_path"
MARK = ".flamenco-folder"


@attrs.frozen(kw_only=True)
class Introduction:
    """Who a Manager is, and what it goes by."""

    name: str
    version: str
    folder: str
    """A text that is in the Manager's folder for logs and images, and in no other."""
    settings: Mapping[str, str]
    plugins: tuple[str, ...]


def introduce(manager: Manager) -> Introduction:
    """Describe this Manager; writes a mark into its folder for logs and images.

    Raises `ConfigError` when that is not possible.
    """
    return Introduction(
        name=f"{socket.gethostname()}, process {os.getpid()}",
        version=__version__,
        folder=_mark_of(manager.settings.local_manager_storage_path, manager.new_id()),
        settings=checksums_of(manager.settings),
        plugins=tuple(info.name for info in manager.plugins if info.state == "on"),
    )


def checksums_of(settings: ManagerSettings) -> Mapping[str, str]:
    """Return what is told of the settings in which Managers of one farm should agree."""
    values = attrs.asdict(settings, recurse=False)
    return {n: _checksum(value) for n, value in values.items() if n not in {*OWN, STORAGE}}


def read_introduction(text: bytes) -> Introduction:
    """Read how another Manager introduced itself; raises `ValueError` for something else."""
    return msgspec.json.decode(text, type=Introduction)


def differences(mine: Introduction, other: Introduction) -> Iterator[str]:
    """Yield what does not agree and should, each with its cure."""
    # Empty: it was read in the moment in which the other one made it.
    if mine.folder and other.folder and mine.folder != other.folder:
        yield (
            f"its logs and images are in another folder: set {STORAGE!r} of both to one folder"
            " that their machines share, or each shows only what it has received itself"
        )
    if mine.version != other.version:
        yield f"it is version {other.version}, this is {mine.version}: use one version"
    if names := sorted(n for n, v in mine.settings.items() if other.settings.get(n, v) != v):
        yield f"these settings differ: {', '.join(names)}; make them the same"
    if names := sorted(set(mine.plugins) ^ set(other.plugins)):
        yield f"only one of both has these plugins: {', '.join(names)}"


def _checksum(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]


def _mark_of(folder: Path, new: str) -> str:
    path = folder / MARK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            file.write(new)
    except FileExistsError:
        return path.read_text() if path.is_file() else ""
    except OSError as error:
        raise ConfigError(
            f"cannot write to {folder}: {error.strerror or error}; make it writable, or set"
            f" another {STORAGE!r}"
        ) from error
    return new
