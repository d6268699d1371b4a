"""On what kind of file system something lies, on each of the three systems."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

__all__ = ["file_system_of", "is_network"]

_NETWORK = frozenset(
    {
        *("nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "webdav", "davfs"),
        *("afs", "afpfs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs", "ncpfs", "sshfs"),
        *("s3fs", "rclone", "goofys", "remote"),
    }
)
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MAC_MOUNT = re.compile(r"^.* on (?P<folder>/.*) \((?P<kind>\w+)")
_DRIVE_REMOTE = 4
"""Windows' number for a drive that is another machine's."""


def is_network(kind: str) -> bool:
    """Say whether file systems of this kind are other machines'."""
    return kind.lower().removeprefix("fuse.") in _NETWORK


def file_system_of(path: Path) -> str:
    """Return the kind of file system of a folder or file, such as ``ext4``; empty if unknown.

    On Windows it is ``remote`` for a drive or share of another machine.
    """
    path = path.resolve()
    if sys.platform == "win32":
        return _of_drive(path)
    try:
        mounts = _linux_mounts() if sys.platform == "linux" else _mac_mounts()
    except (OSError, subprocess.SubprocessError):
        return ""
    return _kind_at(path, mounts)


def _kind_at(path: Path, mounts: list[tuple[str, str]]) -> str:
    above = {str(path), *map(str, path.parents)}
    found = [(folder, kind) for folder, kind in mounts if folder in above]
    # Of two that are mounted at one place, the later one is on top.
    return max(reversed(found), key=lambda mount: len(mount[0]), default=("", ""))[1]


def _linux_mounts() -> list[tuple[str, str]]:
    text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    return mounts_in(text)


def mounts_in(mountinfo: str) -> list[tuple[str, str]]:
    """Read Linux's table of mounts: folders, and the kinds of what is mounted there."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        # Blanks in names are written as octal numbers.
        folder = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), before.split()[4])
        found.append((folder, after.split()[0]))
    return found


def _mac_mounts() -> list[tuple[str, str]]:
    done = subprocess.run(["mount"], capture_output=True, text=True, check=True, timeout=5)
    matches = map(_MAC_MOUNT.match, done.stdout.splitlines())
    return [(match["folder"], match["kind"]) for match in matches if match]


def _of_drive(path: Path) -> str:
    if sys.platform != "win32":
        return ""
    import ctypes

    if path.drive.startswith("\\\\"):
        return "remote"
    root = os.path.join(path.drive, "\\")  # noqa: PTH118 (a Path would lose the backslash)
    kind = ctypes.windll.kernel32.GetDriveTypeW(root)
    return "remote" if kind == _DRIVE_REMOTE else ""
