"""Folders of scripts that are looked at often, and read only when something changed."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from flamenco_core.clock import Clock
from flamenco_javascript.folder import MAX_LIBRARIES, Script, library_paths, read_folders

__all__ = ["FolderReader"]

SETTLED = 2_000_000
"""Microseconds: file systems with coarse times show two edits within this as one."""

_State = tuple[tuple[str, int, int, int, int, int], ...]


@attrs.frozen
class _Reading:
    state: _State
    scripts: dict[str, Script]
    settled: bool


class FolderReader:
    """Reads scripts again when a time, size, mode or inode of any file is another one."""

    def __init__(self, folders: Sequence[Path], clock: Clock) -> None:
        self._folders = tuple(folders)
        self._clock = clock
        self._last: _Reading | None = None

    def scripts(self) -> dict[str, Script]:
        """Return all scripts, by the name of their job type; blocks.

        As long as nothing has changed it is the same dictionary as before.
        """
        # Before the files are read: an edit that comes in between is seen the next time.
        state = _state_of(self._folders)
        last = self._last
        if last is not None and last.settled and last.state == state:
            return last.scripts
        scripts = read_folders(self._folders)
        settled = _newest(state) < self._clock.now() - SETTLED
        self._last = _Reading(state, scripts, settled)
        return scripts


def _state_of(folders: Sequence[Path]) -> _State:
    return tuple(
        (str(path), s.st_mode, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
        for folder in folders
        for path, s in _statuses(folder)
    )


def _statuses(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    # No more than can count: the folder itself, its scripts, and what they may require.
    for path in itertools.chain([folder], itertools.islice(library_paths(folder), MAX_LIBRARIES)):
        try:
            yield path, path.stat() if path == folder else path.lstat()
        except OSError:  # gone, or not there at all: then so is its place in the state
            continue


def _newest(state: _State) -> int:
    return max((max(entry[4:]) // 1000 for entry in state), default=0)
