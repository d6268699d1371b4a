"""Archives of jobs on this machine: fetched whole or not at all, and looked into."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from flamenco_core.errors import BadRequest, FlamencoError

__all__ = ["Archive", "fetch", "look_into"]

FORMAT = 1


@attrs.frozen(kw_only=True)
class Archive:
    """What is in an archive: about itself, its job, and its entries with their sizes."""

    about: dict[str, Any]
    job: dict[str, Any]
    entries: list[tuple[str, int]]


def fetch(target: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let *write* fill a new file; it gets its name only when it is a whole archive.

    Raises `FlamencoError`.
    """
    if target.exists():
        raise BadRequest(f"{target} exists already; name another file for the archive")
    unfinished = target.with_name(f".{target.name}.part")
    try:
        with unfinished.open("wb") as file:
            write(file)
        look_into(unfinished)
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)


def look_into(path: Path) -> Archive:
    """Read an archive's table of contents and its job; raises `BadRequest` if it is none."""
    try:
        with zipfile.ZipFile(path) as found:
            about = json.loads(found.read("archive.json"))
            job = json.loads(found.read("job.json"))
            entries = [(entry.filename, entry.file_size) for entry in found.infolist()]
    except FileNotFoundError:
        raise BadRequest(f"there is no file {path}") from None
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BadRequest(f"{path} is no whole archive of a job ({error})") from error
    if about.get("format") != FORMAT:
        raise FlamencoError(
            f"{path} has format {about.get('format')!r}, which this version does not know;"
            " use a newer Flamenco"
        )
    return Archive(about=about, job=job, entries=entries)
