"""A disk that can lose its power: what is written reaches it when it is flushed, not before.

`python -m faults.disk BACK MOUNT` mounts a file system by FUSE. Data that was not flushed
is kept in memory only; a line ``cut SEED`` on the standard input pulls the plug: of the
writes that were not flushed, some get to the disk, in any order and torn at a sector, as
disks do it, and with SEED 0 none; then the process is gone, with all that was in memory.

Names, sizes by `truncate`, and folders count as on disk at once: a missing flush of a
folder is not found here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import sys
import threading
from typing import Any

import attrs
from mfusepy import FUSE, FuseOSError, Operations

SECTOR = 512
_STAT = ("st_atime", "st_ctime", "st_gid", "st_mode", "st_mtime", "st_nlink", "st_size", "st_uid")
_SPACE = "f_bavail f_bfree f_blocks f_bsize f_favail f_ffree f_files f_flag f_frsize f_namemax"


@attrs.define
class Volatile:
    """A file as programs see it, and the writes that are not on disk."""

    data: bytearray
    pending: list[tuple[int, bytes]] = attrs.field(factory=list)
    length: int | None = None
    """What it was cut to since the last flush."""


class Disk(Operations):  # type: ignore[misc]
    """The file system; one call at a time."""

    use_ns = True

    def __init__(self, back: str) -> None:
        self._back = back
        self._files: dict[str, Volatile] = {}
        self._lock = threading.RLock()

    def cut(self, seed: int) -> None:
        """Pull the plug."""
        chance = random.Random(seed)
        with self._lock:
            for path, file in [*self._files.items()]:
                kept = [w for w in file.pending if seed and chance.random() < 0.5]
                chance.shuffle(kept)
                with contextlib.suppress(FileNotFoundError):
                    self._store(path, [_torn(write, chance) for write in kept])
            os._exit(9)

    def _path(self, path: str) -> str:
        return self._back + path

    def _file(self, path: str) -> Volatile:
        if path not in self._files:
            with open(self._path(path), "rb") as file:
                self._files[path] = Volatile(bytearray(file.read()))
        return self._files[path]

    def _store(self, path: str, writes: list[tuple[int, bytes]]) -> None:
        number = os.open(self._path(path), os.O_WRONLY)
        try:
            for offset, data in writes:
                os.pwrite(number, data, offset)
        finally:
            os.close(number)

    # -- data ----------------------------------------------------------------------------------

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        with self._lock:
            os.close(os.open(self._path(path), os.O_CREAT | os.O_WRONLY, mode))
            self._files[path] = Volatile(bytearray())
        return 0

    def open(self, path: str, flags: int) -> int:
        os.stat(self._path(path))
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        with self._lock:
            return bytes(self._file(path).data[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        with self._lock:
            file = self._file(path)
            if len(file.data) < offset:
                file.data.extend(bytes(offset - len(file.data)))
            file.data[offset : offset + len(data)] = data
            file.pending.append((offset, bytes(data)))
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        with self._lock:
            file = self._file(path)
            del file.data[length:]
            file.data.extend(bytes(length - len(file.data)))
            os.truncate(self._path(path), length)
            file.pending = [(o, d[: length - o]) for o, d in file.pending if o < length]
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        with self._lock:
            if file := self._files.get(path):
                self._store(path, file.pending)
                file.pending.clear()
        return 0

    def flush(self, path: str, fh: int) -> int:
        return 0

    def release(self, path: str, fh: int) -> int:
        return 0

    # -- names ---------------------------------------------------------------------------------

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        try:
            found = os.lstat(self._path(path))
        except OSError as error:
            raise FuseOSError(error.errno or errno.EIO) from error
        stat = {key: getattr(found, key) for key in _STAT}
        stat |= {key: getattr(found, f"{key}_ns") for key in ("st_atime", "st_ctime", "st_mtime")}
        if path in self._files:
            stat["st_size"] = len(self._files[path].data)
        return stat

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(self._path(path))]

    def mkdir(self, path: str, mode: int) -> int:
        os.mkdir(self._path(path), mode)
        return 0

    def rmdir(self, path: str) -> int:
        os.rmdir(self._path(path))
        return 0

    def unlink(self, path: str) -> int:
        with self._lock:
            self._files.pop(path, None)
            os.unlink(self._path(path))
        return 0

    def rename(self, old: str, new: str) -> int:
        with self._lock:
            os.rename(self._path(old), self._path(new))
            self._files.pop(new, None)
            if old in self._files:
                self._files[new] = self._files.pop(old)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        os.chmod(self._path(path), mode)
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        return 0

    def utimens(self, path: str, times: Any = None) -> int:
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        found = os.statvfs(self._path(path))
        return {key: getattr(found, key) for key in _SPACE.split()}


def _torn(write: tuple[int, bytes], chance: random.Random) -> tuple[int, bytes]:
    """Return what of a write got to the disk: all, or the sectors before some point."""
    offset, data = write
    if len(data) <= SECTOR or chance.random() < 0.7:
        return write
    return offset, data[: chance.randrange(1, len(data) // SECTOR + 1) * SECTOR]


def _listen(disk: Disk) -> None:
    for line in sys.stdin:
        word, _, seed = line.partition(" ")
        if word == "cut":
            disk.cut(int(seed))


def main() -> None:
    back, mount = sys.argv[1:]
    disk = Disk(back)
    threading.Thread(target=_listen, args=(disk,), daemon=True).start()
    FUSE(disk, mount, foreground=True, nothreads=False)


if __name__ == "__main__":
    main()
