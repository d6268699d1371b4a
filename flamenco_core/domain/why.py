"""Why a task is not at work, in words; who could run it is narrowed down step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from flamenco_core.domain.statuses import WorkerStatus

__all__ = ["Able", "Need", "why_waiting"]

NAMED = 5
"""So many names are written out."""


@attrs.frozen(kw_only=True)
class Able:
    """A worker, as far as it matters to the tasks of one job."""

    id: int
    name: str
    status: WorkerStatus
    task_types: frozenset[str]
    tags: frozenset[int] = frozenset()
    blocked: frozenset[str] = frozenset()
    """Task types for which it is on the job's blocklist."""
    is_busy: bool = False
    wanted: str = ""
    """What it was asked to be, and is not yet."""


@attrs.frozen(kw_only=True)
class Need:
    """What waiting tasks ask of a worker."""

    task_type: str
    tag: int = 0
    tag_name: str = ""
    failed_by: frozenset[int] = frozenset()
    """Workers that have failed at the task."""


def why_waiting(need: Need, workers: Sequence[Able]) -> str:
    """Return why a task that is ready to run is not running, and what would help."""
    if not workers:
        return "no worker has registered yet; start one"
    kind = f"tasks of type {need.task_type!r}"
    able = [worker for worker in workers if need.task_type in worker.task_types]
    if not able:
        known = sorted({kind for worker in workers for kind in worker.task_types})
        return f"no worker runs {kind}; the farm's workers run: {', '.join(known) or 'nothing'}"
    return _among(need, kind, able)


def _among(need: Need, kind: str, able: Sequence[Able]) -> str:
    tagged = [worker for worker in able if not need.tag or need.tag in worker.tags]
    if not tagged:
        return f"no worker that runs {kind} has the job's tag {need.tag_name!r}"
    allowed = [worker for worker in tagged if need.task_type not in worker.blocked]
    if not allowed:
        return f"on the job's blocklist for {kind}: {_names(tagged)}; take one off it"
    fresh = [worker for worker in allowed if worker.id not in need.failed_by]
    if not fresh:
        return (
            f"it failed on every worker that may run it: {_names(allowed)};"
            " queue it again to let them try once more"
        )
    return _when(fresh)


def _when(fresh: Sequence[Able]) -> str:
    awake = [w for w in fresh if w.status is WorkerStatus.AWAKE and not w.wanted]
    if not awake:
        states = (f"{w.name} ({_state(w)})" for w in fresh)
        return f"no worker that may run it is awake: {_some(states)}"
    if all(worker.is_busy for worker in awake):
        return f"waits for its turn; at work on other tasks: {_names(awake)}"
    return "ready; a worker takes it the next time it asks for work"


def _state(worker: Able) -> str:
    return f"{worker.status}, asked to be {worker.wanted}" if worker.wanted else worker.status


def _names(workers: Iterable[Able]) -> str:
    return _some(worker.name for worker in workers)


def _some(names: Iterable[str]) -> str:
    all_names = [*names]
    more = len(all_names) - NAMED
    return ", ".join(all_names[:NAMED]) + (f" and {more} more" if more > 0 else "")
