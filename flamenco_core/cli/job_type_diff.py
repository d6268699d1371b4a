"""Compare the job types of a Manager with those of a file, of this machine, of another."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from flamenco_core.cli.from_plugins import local_job_types, say_nothing
from flamenco_core.cli.job_type_files import defined_in, hash_of, sources
from flamenco_core.client import Client
from flamenco_core.errors import BadRequest, FlamencoError, NotFound
from flamenco_core.offers import JobTypeLike
from flamenco_core.wire.describe import available_job_type
from flamenco_core.wire.job_type_changes import changes_between
from flamenco_core.wire.job_types import AvailableJobType

__all__ = ["Difference", "Version", "differences", "in_file", "in_manager", "on_this_machine"]


@attrs.frozen
class Version:
    """One side of a comparison; ``source_hash`` is empty where it is not known."""

    shown: AvailableJobType
    source_hash: str
    file: Path | None = None


@attrs.frozen(kw_only=True)
class Difference:
    """What became of a job type: changes of settings, and of its source.

    ``source`` is one of ``same``, ``other`` and ``unknown``; ``lines`` are the difference
    of the files, where both are at hand.
    """

    name: str
    changes: list[str]
    source: str
    lines: list[str] = attrs.field(factory=list)

    @property
    def is_same(self) -> bool:
        """Whether nothing is known to be different."""
        return not self.changes and self.source != "other"


def in_manager(client: Client) -> dict[str, Version]:
    """Return what a Manager offers; Flamenco's own tells no hashes."""
    try:
        hashes = {kind.name: kind.source_hash for kind in client.job_types_state().job_types}
    except NotFound:
        hashes = {}
    return {kind.name: Version(kind, hashes.get(kind.name, "")) for kind in client.job_types()}


def on_this_machine() -> dict[str, Version]:
    """Return what a Manager on this machine would offer."""
    say_nothing()
    return {kind.name: _version(kind) for kind in local_job_types()}


def in_file(file: Path) -> dict[str, Version]:
    """Return what a file defines; raises `BadRequest` that says what is wrong with it."""
    if not file.is_file():
        raise BadRequest(f"there is no file {file}")
    try:
        found = defined_in(file)
    except FlamencoError:
        raise
    # The border to somebody's file: it may raise anything.
    except (Exception, SystemExit) as error:
        raise BadRequest(f"{file}: {error!r}; see 'flamenco job-types check'") from error
    if not found:
        raise BadRequest(f"{file}: there is no job type in it; see 'flamenco job-types check'")
    return {kind.name: attrs.evolve(_version(kind), file=file) for kind in found}


def _version(kind: JobTypeLike) -> Version:
    return Version(available_job_type(kind), getattr(kind, "source_hash", ""))


def differences(
    old: Mapping[str, Version], new: Mapping[str, Version], names: Iterable[str]
) -> list[Difference]:
    """Compare job types by name; all that one of them has if no *names* are given.

    A single job type in a file is compared with the one that is named, whatever it is
    called itself. Raises `NotFound` for a name that neither has.
    """
    names = list(names)
    if len(names) == 1 and len(new) == 1 and names[0] in old:
        new = {names[0]: next(iter(new.values()))}
    for name in names:
        if name not in old and name not in new:
            known = ", ".join(sorted({*old, *new})) or "none"
            raise NotFound(f"there is no job type {name!r}; there are: {known}")
    return [_between(name, old.get(name), new.get(name)) for name in names or sorted({*old, *new})]


def _between(name: str, old: Version | None, new: Version | None) -> Difference:
    if old is None or new is None:
        side = "the second" if old is None else "the first"
        return Difference(name=name, changes=[f"only {side} has it"], source="unknown")
    lines = []
    if not (old.source_hash and new.source_hash):
        source = "unknown"
    elif old.source_hash == new.source_hash:
        source = "same"
    else:
        source, lines = "other", _lines(name, old, new)
    changes = changes_between(old.shown, new.shown)
    return Difference(name=name, changes=changes, source=source, lines=lines)


def _lines(name: str, old: Version, new: Version) -> list[str]:
    """Compare with the source on this machine, if it is the one that the Manager uses."""
    here = sources().get(name) if new.file else None
    if new.file is None or here is None or hash_of(here) != old.source_hash:
        return []
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in (here, new.file)]
    was, now = (text.splitlines() for text in texts)
    return list(difflib.unified_diff(was, now, str(here), str(new.file), lineterm=""))
