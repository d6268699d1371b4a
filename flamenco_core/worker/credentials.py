"""The worker's name and password on the farm: ``flamenco-worker-credentials.yaml``."""

from __future__ import annotations

import logging
from pathlib import Path

import attrs

from flamenco_core import platform

__all__ = ["Credentials", "CredentialsFile"]

log = logging.getLogger(__name__)

FILE_NAME = "flamenco-worker-credentials.yaml"


@attrs.frozen
class Credentials:
    """Who the worker is; the secret stays out of logs and tracebacks.

    ``next_secret`` is the one that it is about to use: stored before the Manager is told,
    so that whoever of the two stops at whatever moment, one of both is right.
    ``changed_at`` is when the secret was made, in microseconds.
    """

    worker_id: str
    secret: str = attrs.field(repr=False)
    next_secret: str = attrs.field(default="", repr=False)
    changed_at: int = attrs.field(default=0, eq=False)


class CredentialsFile:
    """Keeps the credentials in the worker's home."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE_NAME

    def load(self) -> Credentials | None:
        """Return the credentials, or None if there are none yet.

        A file that makes no sense is put aside, not overwritten. Raises `OSError` when
        it is there but cannot be read: that is for a person to mend.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            text = ""
        values = dict(_pairs(text))
        if values.get("worker_id") and values.get("worker_secret"):
            return Credentials(
                values["worker_id"],
                values["worker_secret"],
                values.get("worker_secret_next", ""),
                # A file of an earlier version, or of Flamenco's own Worker, is as old as it is.
                _number(values.get("changed_at")) or self.path.stat().st_mtime_ns // 1000,
            )
        self._put_aside("broken")
        return None

    def save(self, credentials: Credentials) -> None:
        """Write the credentials, all or nothing, readable by their owner only."""
        coming = credentials.next_secret
        platform.write_private(
            self.path,
            "# Written by Flamenco Worker: how it signs on to its Manager. Keep it secret.\n"
            "# Two Workers on one computer need two homes (FLAMENCO_HOME).\n"
            f"worker_id: {credentials.worker_id}\n"
            f"worker_secret: {credentials.secret}\n"
            + (f"worker_secret_next: {coming}\n" if coming else "")
            + (f"changed_at: {credentials.changed_at}\n" if credentials.changed_at else ""),
        )

    def put_aside_refused(self) -> None:
        """Keep credentials that the Manager refused, in case that was its mistake."""
        self._put_aside("refused")

    def _put_aside(self, why: str) -> None:
        aside = self.path.with_name(f"{FILE_NAME}.{why}")
        log.warning("%s credentials are kept as %s", why, aside)
        self.path.replace(aside)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _pairs(text: str) -> list[tuple[str, str]]:
    # Two plain `key: value` lines in both Flamencos' files: a YAML library is not needed.
    found = []
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            found.append((key.strip(), value.strip().strip("\"'")))
    return found
