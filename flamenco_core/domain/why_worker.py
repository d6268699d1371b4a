"""Why a worker is not at work, in words, and what would help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

import attrs

from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.why import names_of

__all__ = ["Hurdle", "Work", "WorkerAlone", "why_idle"]


class Hurdle(StrEnum):
    """Why a worker does not get tasks that wait; the first that it does not take counts."""

    NONE = "none"
    TYPE = "type"
    TAG = "tag"
    BLOCKED = "blocked"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class Work:
    """Waiting tasks of one type in one job, and what keeps the worker from them."""

    job_name: str
    task_type: str
    hurdle: Hurdle
    tag_name: str = ""
    block_reason: str = ""


@attrs.frozen(kw_only=True)
class WorkerAlone:
    """What is known of one worker; ``wakes_at`` is when its schedule wakes it, in words."""

    status: WorkerStatus
    wanted: WorkerStatus | None = None
    is_lazy: bool = False
    is_pending: bool = False
    task: str = ""
    """Name of the task that it is at work on."""
    job: str = ""
    task_types: tuple[str, ...] = ()
    wakes_at: str = ""
    work: tuple[Work, ...] = ()


_STATES = {
    WorkerStatus.OFFLINE: "it is offline; start the Worker on its machine",
    WorkerStatus.ERROR: "it was not heard of any more; it is back as soon as it calls",
    WorkerStatus.STARTING: "it has just started; it says when it is ready",
    WorkerStatus.RESTART: "it is restarting; it says when it is ready",
    WorkerStatus.TESTING: "it is testing; ask it to wake up",
}


def why_idle(worker: WorkerAlone) -> list[str]:
    """Return why a worker is not at work, the most important reason first."""
    if worker.is_pending:
        return ["nobody has approved it yet; see 'flamenco workers approve'"]
    found = [f"it is at work on {worker.task!r} of job {worker.job!r}"] if worker.task else []
    if worker.wanted:
        when = "when its task is finished" if worker.is_lazy and worker.task else "when it calls"
        found.append(f"it is asked to be {worker.wanted}, and will be {when}")
    if worker.status is WorkerStatus.ASLEEP:
        found.append(_asleep(worker))
    elif worker.status is not WorkerStatus.AWAKE:
        found.append(_STATES[worker.status])
    return found or list(_awake(worker))


def _asleep(worker: WorkerAlone) -> str:
    if worker.wakes_at:
        return f"it is asleep; its sleep schedule wakes it at {worker.wakes_at}"
    return "it is asleep; ask it to wake up"


def _awake(worker: WorkerAlone) -> Iterator[str]:
    hurdles: dict[Hurdle, list[Work]] = {}
    for work in worker.work:
        hurdles.setdefault(work.hurdle, []).append(work)
    if not worker.work:
        yield "no task waits that could be started now"
    elif Hurdle.NONE in hurdles:
        jobs = _jobs(hurdles[Hurdle.NONE])
        yield f"it is ready; it takes a task of job {jobs} the next time it asks for work"
    else:
        yield from _hurdles(worker, hurdles)


def _hurdles(worker: WorkerAlone, hurdles: dict[Hurdle, list[Work]]) -> Iterator[str]:
    for work in hurdles.get(Hurdle.BLOCKED, ()):
        cause = f" because {work.block_reason}" if work.block_reason else ""
        yield (
            f"it is on the blocklist of job {work.job_name!r} for tasks of type"
            f" {work.task_type!r}{cause}; take it off the list"
        )
    if failed := hurdles.get(Hurdle.FAILED):
        yield f"it failed the tasks that are left of job {_jobs(failed)}; others are to try them"
    if tagged := hurdles.get(Hurdle.TAG):
        tags = names_of(dict.fromkeys(work.tag_name for work in tagged))
        yield f"tasks wait for workers with another tag: {tags}"
    if other := hurdles.get(Hurdle.TYPE):
        types = names_of(dict.fromkeys(work.task_type for work in other))
        own = ", ".join(worker.task_types) or "nothing"
        yield f"tasks wait of types that it does not run: {types}; it runs: {own}"


def _jobs(work: Iterable[Work]) -> str:
    return names_of(dict.fromkeys(repr(one.job_name) for one in work))
