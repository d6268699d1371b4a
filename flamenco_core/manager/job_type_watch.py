"""The job types as clients see them: from memory, and as new as the last look.

`look` is called about once a second. Whoever submits a job does not depend on that: `get`
asks anew, and when it finds something else than memory has, it looks as well. So nobody
who is told that a job type has changed can refresh and get the old one again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

import attrs

from flamenco_core.domain.events import Event, JobTypesChanged
from flamenco_core.errors import JobTypeError, OutdatedJobType
from flamenco_core.manager.job_type_history import JobTypeHistory
from flamenco_core.manager.job_types import JobTypeCatalog
from flamenco_core.offers.job_type import FromFile, JobTypeLike
from flamenco_core.wire.describe import available_job_type
from flamenco_core.wire.job_type_changes import changes_between, in_a_sentence
from flamenco_core.wire.job_types import (
    AvailableJobType,
    JobTypeProblem,
    JobTypeSource,
    JobTypesState,
)

__all__ = ["JobTypeWatch", "SeenJobType"]

log = logging.getLogger(__name__)

_OUTDATED = "rejecting job because its settings are outdated, refresh the job type"


@attrs.frozen
class SeenJobType:
    """A job type, and how clients see it."""

    job_type: JobTypeLike
    shown: AvailableJobType

    @property
    def source_hash(self) -> str:
        """SHA-256 of its file, in hex; empty if it does not say."""
        return getattr(self.job_type, "source_hash", "")

    def source(self) -> JobTypeSource:
        """Tell where it comes from."""
        file = self.job_type.source_file if isinstance(self.job_type, FromFile) else None
        return JobTypeSource(
            name=self.shown.name,
            etag=self.shown.etag,
            # No more than the name: folders of the Manager are nobody's business.
            source=file.name if file else "",
            source_hash=self.source_hash,
        )


@attrs.frozen
class _View:
    seen: Mapping[str, SeenJobType]
    problems: Mapping[str, str]


class JobTypeWatch:
    """What a catalog has, kept in memory; *publish* takes events."""

    def __init__(self, catalog: JobTypeCatalog, publish: Callable[[Iterable[Event]], None]) -> None:
        self._catalog = catalog
        self._publish = publish
        self._history = JobTypeHistory()
        self._view: _View | None = None
        self._lock = asyncio.Lock()

    async def shown(self) -> list[AvailableJobType]:
        """Return all job types that can be submitted, by name."""
        return [seen.shown for seen in (await self._viewed()).seen.values()]

    async def state(self) -> JobTypesState:
        """Return what is behind them, and what is wrong with others."""
        view = await self._viewed()
        return JobTypesState(
            [seen.source() for seen in view.seen.values()],
            [JobTypeProblem(name, text) for name, text in sorted(view.problems.items())],
        )

    async def get(self, name: str) -> SeenJobType:
        """Return a job type as it is now, not as it was at the last look.

        Raises `UnknownJobType`, or `JobTypeError` if it is there but broken.
        """
        known = self._view.seen.get(name) if self._view else None
        try:
            found = self._seen(name, await self._catalog.get(name))
        except JobTypeError:
            if known is not None:
                await self.look()
            raise
        if known is None or found.shown.etag != known.shown.etag:
            await self.look()
        return found

    async def get_current(self, name: str, etag: str) -> SeenJobType:
        """Return a job type for a client whose description has *etag*, if it has one.

        Raises as `get`, and `OutdatedJobType` that says what has changed since.
        """
        found = await self.get(name)
        if not etag or etag == found.shown.etag:
            return found
        old = self._history.find(name, etag)
        changes = changes_between(old, found.shown) if old else []
        raise OutdatedJobType(": ".join(filter(None, [_OUTDATED, in_a_sentence(changes)])))

    async def look(self) -> None:
        """Look at all job types, and tell what is different."""
        async with self._lock:
            before, self._view = self._view, await self._survey()
            if before is not None:
                self._tell(before, self._view)

    async def _viewed(self) -> _View:
        if self._view is None:
            await self.look()
        assert self._view is not None
        return self._view

    async def _survey(self) -> _View:
        survey = await self._catalog.survey()
        seen, problems = {}, dict(survey.problems)
        for name, job_type in survey.job_types.items():
            try:
                seen[name] = self._seen(name, job_type)
            except JobTypeError as error:
                problems[name] = str(error)
        return _View(seen, problems)

    def _seen(self, name: str, job_type: JobTypeLike) -> SeenJobType:
        known = self._view.seen.get(name) if self._view else None
        if known is not None and known.job_type is job_type:
            return known
        try:
            shown = available_job_type(job_type)
        # The border to job types: one that cannot say what it is must not hide the others.
        except Exception as error:
            raise JobTypeError(f"job type {name!r} cannot be described: {error!r}") from error
        self._history.remember(shown)
        return SeenJobType(job_type, shown)

    def _tell(self, before: _View, now: _View) -> None:
        event = _difference(before, now)
        if event != JobTypesChanged(problems=event.problems) or before.problems != now.problems:
            log.info("job types: %s", _in_words(event))
            self._publish([event])


def _difference(before: _View, now: _View) -> JobTypesChanged:
    old, new = before.seen, now.seen
    both = [name for name in new if name in old]
    return JobTypesChanged(
        added=tuple(name for name in new if name not in old),
        changed=tuple(name for name in both if _version(old[name]) != _version(new[name])),
        removed=tuple(name for name in old if name not in new),
        problems=tuple(sorted(now.problems.items())),
    )


def _version(seen: SeenJobType) -> tuple[str, str]:
    return seen.shown.etag, seen.source_hash


def _in_words(event: JobTypesChanged) -> str:
    parts = {
        "new": event.added,
        "changed": event.changed,
        "gone": event.removed,
        "broken": tuple(name for name, _ in event.problems),
    }
    said = [f"{word}: {', '.join(names)}" for word, names in parts.items() if names]
    return "; ".join(said) or "none is broken any more"
