"""The last descriptions of each job type, so that a refusal can say what changed."""

from __future__ import annotations

from collections import OrderedDict

from flamenco_core.wire.job_types import AvailableJobType

__all__ = ["JobTypeHistory"]

VERSIONS = 10
"""Of each job type; whoever has an older one is told to refresh, without the reasons."""
JOB_TYPES = 500


class JobTypeHistory:
    """Descriptions by name and etag; the oldest are forgotten, and all at a restart."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, OrderedDict[str, AvailableJobType]] = OrderedDict()

    def remember(self, shown: AvailableJobType) -> None:
        """Keep a description that clients can have from now on."""
        versions = self._known.setdefault(shown.name, OrderedDict())
        versions[shown.etag] = shown
        versions.move_to_end(shown.etag)
        self._known.move_to_end(shown.name)
        if len(versions) > VERSIONS:
            versions.popitem(last=False)
        if len(self._known) > JOB_TYPES:
            self._known.popitem(last=False)

    def find(self, name: str, etag: str) -> AvailableJobType | None:
        """Return what a client with this etag has, if that is still known."""
        versions = self._known.get(name)
        return versions.get(etag) if versions else None
