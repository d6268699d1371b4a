"""Bodies of the operations on workers that were removed; ours, not in Flamenco 3."""

from __future__ import annotations

import attrs

from flamenco_core.wire.schema import Time

__all__ = ["RemovedWorker", "RemovedWorkerList"]


@attrs.frozen(kw_only=True)
class RemovedWorker:
    """A worker that was removed, by a person or because it did not call any more."""

    id: str
    name: str
    removed_at: Time
    last_seen: Time | None = None


@attrs.frozen
class RemovedWorkerList:
    """All removed workers, the last one first."""

    workers: list[RemovedWorker]
