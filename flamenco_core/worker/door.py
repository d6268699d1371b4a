"""What this Worker shows to be let in, and how it stays out of sight."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import attrs

from flamenco_core.errors import ConfigError
from flamenco_core.worker.settings import WorkerSettings

__all__ = ["Door", "door_of", "environment_of_tasks"]

_JOIN = re.compile(r"/join/([^/\s,]+)(/|(?=[\s,]|$))")
_PRIVATE = ("FLAMENCO_REGISTRATION_TOKEN", "FLAMENCO_REGISTRATION_TOKEN_FILE")
_URL = "FLAMENCO_MANAGER_URL"


@attrs.frozen
class Door:
    """Where the Manager is, and what opens its door; the latter is for nobody's eyes."""

    url: str
    ticket: str = attrs.field(repr=False)


def door_of(url: str, settings: WorkerSettings) -> Door:
    """Take what opens the door out of an address ``http://farm:8080/join/TOKEN/``.

    What the settings say comes first. The address without it is as good for all that comes
    later, and may be logged. Raises `ConfigError` for a file that cannot be read.
    """
    found = _JOIN.search(url)
    ticket = settings.registration_token.strip() or _from_file(settings)
    return Door(_JOIN.sub("/", url), ticket or (found[1] if found else ""))


def _from_file(settings: WorkerSettings) -> str:
    if not settings.registration_token_file:
        return ""
    path = Path(settings.registration_token_file)
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"registration_token_file: cannot read {path}: {error}") from error


def environment_of_tasks(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for programs of tasks, without what opens the door."""
    kept = {name: value for name, value in environ.items() if name.upper() not in _PRIVATE}
    if _URL in kept:
        kept[_URL] = _JOIN.sub("/", kept[_URL])
    return kept
