"""Folders are looked at often and read seldom, and no edit is missed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flamenco_javascript.reading import FolderReader

LATER = 4_000_000_000_000_000
"""A time long after every edit, in microseconds: nothing is young any more."""


class StillClock:
    """A clock that is either far ahead of all files or stands at the beginning."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now


def reader(*folders: Path, now: int = LATER) -> FolderReader:
    return FolderReader(folders, StillClock(now))  # type: ignore[arg-type]


def write(path: Path, text: str = "const JOB_TYPE = {};") -> Path:
    path.parent.mkdir(exist_ok=True, mode=0o755)
    path.write_text(text)
    path.chmod(0o644)
    return path


def test_what_has_not_changed_is_not_read_again(folder: Path) -> None:
    write(folder / "a.js")
    write(folder / "lib" / "b.js")
    read = reader(folder, folder.parent / "nowhere")
    assert read.scripts() is read.scripts()


def replaced(folder: Path) -> None:
    write(folder / "new.tmp", "const JOB_TYPE = 12;").replace(folder / "a.js")


def same_size_and_time(folder: Path) -> None:
    before = (folder / "a.js").stat()
    write(folder / "a.js", "const JOB_TYPE = 12;")
    os.utime(folder / "a.js", ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], Any]] = {
    "edited": lambda folder: write(folder / "a.js", "const JOB_TYPE = {label: 1};"),
    "replaced": replaced,
    "new": lambda folder: write(folder / "c.js"),
    "removed": lambda folder: (folder / "a.js").unlink(),
    "renamed": lambda folder: (folder / "a.js").rename(folder / "c.js"),
    "library edited": lambda folder: write(folder / "lib" / "b.js", "exports.x = 1; // now"),
    "library removed": lambda folder: (folder / "lib" / "b.js").unlink(),
    "touched": lambda folder: os.utime(folder / "a.js", (1, 1)),
    "open to all": lambda folder: (folder / "a.js").chmod(0o666),
    "folder open to all": lambda folder: folder.chmod(0o777),
    "edited, with the old time and size": same_size_and_time,
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen(folder: Path, change: str) -> None:
    write(folder / "a.js")
    write(folder / "lib" / "b.js", "exports.x = 1")
    read = reader(folder)
    before = read.scripts()
    CHANGES[change](folder)
    assert read.scripts() is not before


def test_a_folder_that_appears_is_read(tmp_path: Path) -> None:
    read = reader(tmp_path / "scripts")
    assert read.scripts() == {}
    write(tmp_path / "scripts" / "a.js")
    assert list(read.scripts()) == ["a"]


def test_what_was_written_just_now_is_read_again(folder: Path) -> None:
    # Where times are coarse, a second edit has the time of the first.
    write(folder / "a.js")
    young = reader(folder, now=0)
    assert young.scripts() is not young.scripts()
    assert young.scripts() == young.scripts()


def test_other_files_do_not_matter(folder: Path) -> None:
    write(folder / "a.js")
    read = reader(folder)
    # The folder's own time changes with it; that is one reading more, and no other answer.
    before = read.scripts()
    write(folder / "notes.txt", "x")
    assert read.scripts() == before
