"""A file that remembers what is still to be sent, through crashes and power cuts.

Why not a database: an update is on disk with one fsync, where SQLite's rollback journal
needs three or four, and that time lies between any two tasks. Each line is a checksum and
a record: an update to send, or the numbers of those that need no more sending. A line
that was torn by a crash fails its checksum and is skipped; it was not acknowledged to
anybody. Taking away is not synced: what comes back after a power cut is sent again, and
the Manager ignores the repetition.
"""

from __future__ import annotations

import logging
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec

from flamenco_core import platform

__all__ = ["Journal", "Record"]

log = logging.getLogger(__name__)

_encoder = msgspec.json.Encoder()


@attrs.frozen
class Record:
    """One thing to send: its number in the order of sending, and plain data."""

    number: int
    data: dict[str, Any]


class Journal:
    """An append-only file; not thread-safe, its owner calls one method at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        self._waiting: set[int] = set()
        self._torn = False

    def open(self) -> list[Record]:
        """Open or make the file; return what is still to be sent, in order."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(self.path, flags, 0o600)
        platform.sync_folder(self.path.parent)
        content = self.path.read_bytes()
        self._torn = bool(content) and not content.endswith(b"\n")
        records = _replay(content)
        self._waiting = {record.number for record in records}
        if content and not records:
            self._clear()
        return records

    def add(self, record: Record) -> None:
        """Write a record; it is on disk when this returns. Raises `OSError`."""
        self._write({"put": record.number, "data": record.data})
        os.fsync(self._file)
        self._waiting.add(record.number)

    def remove(self, numbers: Sequence[int]) -> None:
        """Forget records. Raises `OSError`."""
        self._waiting.difference_update(numbers)
        if self._waiting:
            self._write({"done": list(numbers)})
        else:
            self._clear()

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _clear(self) -> None:
        os.ftruncate(self._file, 0)
        self._torn = False

    def _write(self, record: dict[str, Any]) -> None:
        text = _encoder.encode(record)
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        # After a failed write (disk full) half a line may stand there: begin a new one.
        line = b"\n" + line if self._torn else line
        self._torn = True
        while line:
            line = line[os.write(self._file, line) :]
        self._torn = False


def _replay(content: bytes) -> list[Record]:
    waiting: dict[int, Record] = {}
    for line in content.split(b"\n"):
        entry = _entry(line)
        if entry is None:
            continue
        if "put" in entry:
            waiting[entry["put"]] = Record(entry["put"], entry["data"])
        for number in entry.get("done", ()):
            waiting.pop(number, None)
    return [waiting[number] for number in sorted(waiting)]


def _entry(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.partition(b" ")
    if not line:
        return None
    if checksum != b"%08x" % zlib.crc32(text):
        log.warning("a line of %d bytes of the unsent reports is torn and left out", len(line))
        return None
    entry: dict[str, Any] = msgspec.json.decode(text)
    return entry
