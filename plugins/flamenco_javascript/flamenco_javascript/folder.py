"""Folders of scripts: which files count, and which cannot be trusted."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import attrs

__all__ = ["MAX_LIBRARIES", "Libraries", "Script", "library_paths", "read_folders", "read_script"]

log = logging.getLogger(__name__)

MIN_BYTES = 8
MAX_BYTES = 1 << 20
MAX_LIBRARIES = 1000
"""Files of one folder that scripts can require; nobody keeps more on purpose."""
MAX_LIBRARY_BYTES = 8 << 20
"""All of them together: they are sent along with every run."""


@attrs.frozen(kw_only=True)
class Libraries:
    """The texts of all files that scripts can require, by their path in the folder."""

    texts: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    hash: str = ""


@attrs.frozen(kw_only=True)
class Script:
    """One script as it was read; a later edit of the file does not change it.

    ``hash`` is the SHA-256 of the file. With a ``problem`` it must not be run.
    """

    name: str
    path: Path
    source: str = attrs.field(default="", repr=False)
    hash: str = ""
    libraries: Libraries = attrs.field(factory=Libraries)
    problem: str | None = None

    @property
    def file(self) -> str:
        """The file's name, as messages show it."""
        return self.path.name

    @property
    def version(self) -> tuple[str, str, str | None]:
        """Equal for two readings that must behave the same."""
        return self.hash, self.libraries.hash, self.problem


def read_folders(folders: Sequence[Path]) -> dict[str, Script]:
    """Read all scripts, by the name of their job type; the first folder wins.

    Blocks. Folders that do not exist are empty.
    """
    scripts: dict[str, Script] = {}
    for folder in folders:
        if folder.is_dir():
            scripts = {**_read_folder(folder), **scripts}
    return dict(sorted(scripts.items()))


def read_script(path: Path) -> Script:
    """Read one script, with the libraries beside it; blocks."""
    path = path.absolute()
    return _script(path, _read_libraries(path.parent))


def _read_folder(folder: Path) -> dict[str, Script]:
    problem = _distrust(folder, folder.stat())
    libraries = Libraries() if problem else _read_libraries(folder)
    # Two files for one job type: the last one counts, as in Flamenco.
    return {
        script.name: script
        for path in sorted(folder.iterdir())
        if _is_script(path)
        for script in [_script(path, libraries, problem)]
    }


def _is_script(path: Path) -> bool:
    """Say whether Flamenco would take the file for a script: no links, not empty."""
    if not path.name.endswith(".js"):
        return False
    try:
        status = path.lstat()
    except OSError:  # gone since the folder was read
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size >= MIN_BYTES


def _script(path: Path, libraries: Libraries, problem: str | None = None) -> Script:
    script = Script(name=path.stem.replace("_", "-"), path=path, libraries=libraries)
    if problem is not None:
        return attrs.evolve(script, problem=problem)
    try:
        data = _read(path)
        source = _decoded(path, data)
        if "require" not in source:
            # Then an edit of another file is no change of this one.
            script = attrs.evolve(script, libraries=Libraries())
        return attrs.evolve(script, source=source, hash=hashlib.sha256(data).hexdigest())
    except (OSError, ValueError) as error:
        return attrs.evolve(script, problem=str(error))


def _read(path: Path) -> bytes:
    """Read a regular file; raises ValueError with the reason why it cannot be used."""
    # Asked of the open file, so that nobody can put another one in its place between.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 (of a descriptor)
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path.name}: not a regular file")
        if problem := _distrust(path, status):
            raise ValueError(problem)
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path.name}: larger than {MAX_BYTES >> 20} MB")
    return data


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path.name}:{line}: not UTF-8 text") from None


def _distrust(path: Path, status: os.stat_result) -> str | None:
    """Say why a file or folder must not be used: anybody might have written it."""
    # Windows has no such bits; what stat shows there is made up.
    if os.name == "posix" and status.st_mode & stat.S_IWOTH:
        return f"{path} can be written by everybody, so it is not used; chmod o-w it"
    return None


def _read_libraries(folder: Path) -> Libraries:
    texts: dict[str, str] = {}
    room = MAX_LIBRARY_BYTES
    for path in library_paths(folder):
        try:
            text = _decoded(path, _read(path))
        except (OSError, ValueError) as error:
            log.debug("%s cannot be required: %s", path, error)
            continue
        room -= len(text)
        if room < 0 or len(texts) >= MAX_LIBRARIES:
            log.warning("%s: too many scripts; %s and others cannot be required", folder, path.name)
            break
        texts[path.relative_to(folder).as_posix()] = text
    return Libraries(texts=texts, hash=_hash(texts))


def library_paths(folder: Path) -> Iterator[Path]:
    """Walk the folder, its own files first; scripts and JSON only.

    Links are not followed, hidden folders and those that all can write to not entered.
    """
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith((".", "node_modules")) and _may_enter(here / name)
        )
        yield from (
            here / name
            for name in sorted(files)
            if name.endswith((".js", ".json")) and not (here / name).is_symlink()
        )


def _may_enter(folder: Path) -> bool:
    try:
        return not _distrust(folder, folder.lstat())
    except OSError:  # gone since its parent was read
        return False


def _hash(texts: Mapping[str, str]) -> str:
    hashed = hashlib.sha256()
    for name, text in texts.items():
        for part in (name, text):
            data = part.encode()
            hashed.update(b"%d:" % len(data) + data)
    return hashed.hexdigest()
