"""A number for this computer and home: the same after a file was lost, and no other's."""

from __future__ import annotations

import hashlib
import sys
import uuid
from pathlib import Path

__all__ = ["machine_number"]

_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_RANDOM = 1 << 40
"""Set in a node number that is not a network card's but made up for this process."""


def machine_number(home: Path) -> str:
    """Return the number, or an empty text where the system gives none.

    It is hashed with the home, because several Workers may share a computer, and because
    the system's own number is nobody else's business.
    """
    number = _windows() if sys.platform == "win32" else _from_file()
    number = number or _network_card()
    return hashlib.sha256(f"flamenco:{number}:{home}".encode()).hexdigest() if number else ""


def _from_file() -> str:
    for file in _FILES:
        try:
            if number := file.read_text(encoding="ascii").strip():
                return number
        except (OSError, UnicodeDecodeError):
            continue
    return ""


def _windows() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    try:
        path = r"SOFTWARE\Microsoft\Cryptography"
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])
    except OSError:
        return ""


def _network_card() -> str:
    node = uuid.getnode()
    return "" if node & _RANDOM else f"{node:012x}"
