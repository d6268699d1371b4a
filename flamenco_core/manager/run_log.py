"""The log of one run: its beginning in one file, and of the rest as much as fits.

What goes beyond half of the limit is kept in pieces, in a folder beside the file: piece 0,
1, 2 and so on, each at its place in the log, of which only the two newest stay. So a log
has a beginning and an end, whatever happened between. Each byte has one place, therefore
neither the order of messages, nor sending them again, nor a crash makes a difference: no
file is ever rewritten or renamed.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import attrs

__all__ = ["MAX_GAP", "RunLog", "Written"]

BLOCK = 64 * 1024
MAX_GAP = 16 * 1024 * 1024
_PIECES = 2
"""So many pieces stay, each a quarter of the limit."""
_BINARY = getattr(os, "O_BINARY", 0)
# No following of links: whoever can write here must not redirect the Manager, nor have it
# show other files. No waiting for the other end of a pipe either.
_PLAIN = _BINARY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@attrs.frozen
class Written:
    """Where a text begins, where the log ended before it, and the files it went to."""

    start: int
    end: int
    files: list[Path]


@attrs.frozen
class RunLog:
    """A log of about *limit* bytes, at *path*."""

    path: Path
    limit: int

    @property
    def rest(self) -> Path:
        """The folder of the pieces."""
        return self.path.with_name(f"{self.path.name}.rest")

    @property
    def _head(self) -> int:
        return max(1, self.limit // 2)

    @property
    def _length(self) -> int:
        return max(1, self.limit // 4)

    # -- writing ---------------------------------------------------------------------

    def write(self, data: bytes, offset: int | None) -> Written:
        """Write at *offset*, or at the end; raises `OSError`."""
        with _writable(self.path) as file:
            end = file.seek(0, os.SEEK_END)
            # Few logs get so far that it takes a look at a second place.
            if end >= self._head or (offset or 0) > end + MAX_GAP:
                end = max(end, self._end_of_rest())
            # What lies far behind the end is no gap that will be filled.
            start = end if offset is None or offset > end + MAX_GAP else offset
            if start < self._head:
                file.seek(start)
                file.write(data[: self._head - start])
        behind = max(start, self._head)
        files = self._write_rest(behind - self._head, data[behind - start :])
        return Written(start, end, [self.path, *files])

    def _write_rest(self, place: int, data: bytes) -> list[Path]:
        """Write what is behind the beginning; *place* counts from there."""
        if not data:
            return []
        length, files = self._length, []
        last = max([(place + len(data) - 1) // length, *self._pieces()[-1:]])
        for number in range(max(place // length, last - _PIECES + 1), last + 1):
            # A piece may begin before the text does, or the text before the piece.
            skipped = max(0, number * length - place)
            at = max(0, place - number * length)
            part = data[skipped : skipped + length - at]
            if part:
                with _writable(self._piece(number)) as file:
                    file.seek(at)
                    file.write(part)
                files.append(self._piece(number))
        self._drop(last)
        return files

    def _drop(self, last: int) -> None:
        for number in self._pieces():
            if number <= last - _PIECES:
                self._piece(number).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove it; one that is not there is fine."""
        self.path.unlink(missing_ok=True)
        shutil.rmtree(self.rest, ignore_errors=True)

    # -- where what is ---------------------------------------------------------------

    def _piece(self, number: int) -> Path:
        return self.rest / f"{number}.txt"

    def _pieces(self) -> list[int]:
        """Return the numbers of the pieces that are there, the newest last."""
        try:
            stems = [path.stem for path in self.rest.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())

    def _end_of_rest(self) -> int:
        last = self._pieces()[-1:]
        return max((self._head + n * self._length + _size(self._piece(n)) for n in last), default=0)

    def _left_out(self, pieces: list[int]) -> bytes:
        if not pieces or not pieces[0]:
            return b""
        count = pieces[0] * self._length
        note = f"the Manager keeps {self.limit:,} bytes of one run; {count:,} are left out here"
        return f"\n[{note}]\n".encode()

    # -- reading ---------------------------------------------------------------------

    def size(self) -> int:
        """Return how many bytes there are to read."""
        pieces = self._pieces()[-_PIECES:]
        sizes = [_size(self.path), *(_size(self._piece(number)) for number in pieces)]
        return sum(sizes) + len(self._left_out(pieces))

    def read(self) -> Iterator[bytes]:
        """Yield the log in blocks; a line says how much is left out, and where."""
        pieces = self._pieces()[-_PIECES:]
        yield from _blocks(self.path)
        if note := self._left_out(pieces):
            yield note
        for number in pieces:
            yield from _blocks(self._piece(number))

    def tail(self, count: int) -> bytes:
        """Return at most the last *count* bytes."""
        pieces = self._pieces()[-_PIECES:]
        found = b""
        for number in reversed(pieces):
            found = _end_of(self._piece(number), count - len(found)) + found
        if len(found) < count:
            found = self._left_out(pieces) + found
        if len(found) < count:
            found = _end_of(self.path, count - len(found)) + found
        return found[-count:] if count else b""


def _writable(path: Path) -> BinaryIO:
    flags = os.O_RDWR | os.O_CREAT | _PLAIN
    try:
        number = os.open(path, flags, 0o644)
    except FileNotFoundError:
        # The first text of a job, or somebody has tidied up.
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, flags, 0o644)
    return os.fdopen(number, "r+b")


def _readable(path: Path) -> BinaryIO | None:
    """Open a plain file; anything else is as if it were not there."""
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | _PLAIN), "rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    return None


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        found = path.lstat()
        return found.st_size if stat.S_ISREG(found.st_mode) else 0
    return 0


def _blocks(path: Path) -> Iterator[bytes]:
    if (file := _readable(path)) is not None:
        with file:
            while block := file.read(BLOCK):
                yield block


def _end_of(path: Path, count: int) -> bytes:
    file = _readable(path) if count > 0 else None
    if file is None:
        return b""
    with file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - count))
        return file.read(count)
