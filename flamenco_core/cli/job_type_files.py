"""The source files of the job types that this machine has."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from flamenco_core.cli.from_plugins import find_job_type, local_job_types, say_nothing
from flamenco_core.errors import BadRequest, Conflict
from flamenco_core.offers import FromFile, JobTypeLike
from flamenco_core.offers.python_files import classes_in, imported

__all__ = ["copy_sources", "defined_in", "hash_of", "sources"]


def sources() -> dict[str, Path]:
    """Return the source files of all job types, in Python and as scripts, by name."""
    say_nothing()
    found = {k.name: k.source_file for k in local_job_types() if isinstance(k, FromFile)}
    return {name: path for name, path in found.items() if path is not None}


def copy_sources(folder: Path, names: Iterable[str], *, force: bool) -> list[Path]:
    """Copy the source files of some job types, or of all, to *folder*; return the copies.

    Raises `BadRequest` for a name that there is not, and `Conflict`, before anything is
    written, if a file is there already.
    """
    found = sources()
    names = list(names) or list(found)
    if unknown := [name for name in names if name not in found]:
        known = ", ".join(sorted(found)) or "none"
        raise BadRequest(f"there is no job type {unknown[0]!r} on this machine; there are: {known}")
    targets = {folder / f"{name.replace('-', '_')}{found[name].suffix}": name for name in names}
    there = [str(target) for target in targets if target.exists()]
    if there and not force:
        raise Conflict(f"{', '.join(there)} is there already; --force writes over it")
    folder.mkdir(parents=True, exist_ok=True)
    for target, name in targets.items():
        if not (target.exists() and target.samefile(found[name])):
            shutil.copyfile(found[name], target)
    return list(targets)


def defined_in(file: Path) -> list[JobTypeLike]:
    """Return the job types that a file defines; raises whatever is wrong with it."""
    if file.suffix == ".py":
        return [cls.offered() for cls in classes_in(imported(file))]
    found = find_job_type(file)
    return [found] if found is not None else []


def hash_of(file: Path) -> str:
    """Return a file's SHA-256, in hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
