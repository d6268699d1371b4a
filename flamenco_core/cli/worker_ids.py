"""Find workers by their names or ids, and whatever else can be meant by a word."""

from __future__ import annotations

from collections.abc import Sequence

from flamenco_core.cli.ids import find_either
from flamenco_core.client import Client
from flamenco_core.errors import BadRequest, NotFound
from flamenco_core.wire.jobs import Job
from flamenco_core.wire.tasks import Task
from flamenco_core.wire.worker_mgt import WorkerSummary

__all__ = ["find_any", "find_worker"]

_SHORTEST = 4


def find_worker(client: Client, text: str) -> WorkerSummary:
    """Return the worker with this name, id or beginning of an id.

    Raises `NotFound`, or `BadRequest` if several could be meant.
    """
    found = _workers(client, text)
    if not found:
        raise NotFound(f"there is no worker {text!r}; 'flamenco workers' lists them")
    return _only(text, found)


def find_any(client: Client, text: str) -> Job | Task | WorkerSummary:
    """Return the job, task or worker that is meant; a worker's name comes first."""
    workers = _workers(client, text)
    if workers and not _begins_id(text):
        return _only(text, workers)
    other = _job_or_task(client, text)
    if workers and other:
        names = f"worker {workers[0].id} ({workers[0].name}), and {other.id} ({other.name})"
        raise BadRequest(f"{text!r} can be several things: {names}; give more characters")
    if workers:
        return _only(text, workers)
    if other is None:
        raise NotFound(
            f"there is no job, task or worker {text!r}; 'flamenco jobs' and 'flamenco workers'"
            " list them"
        )
    return other


def _job_or_task(client: Client, text: str) -> Job | Task | None:
    if "/" not in text and not _begins_id(text):
        return None
    try:
        return find_either(client, text)
    except NotFound:
        return None


def _workers(client: Client, text: str) -> list[WorkerSummary]:
    everybody, word = client.workers(), text.strip().lower()
    named = [worker for worker in everybody if worker.name.lower() == word]
    if named or not _begins_id(text):
        return named
    return [worker for worker in everybody if worker.id.startswith(word)]


def _begins_id(text: str) -> bool:
    word = text.strip().lower()
    return len(word) >= _SHORTEST and set(word) <= set("0123456789abcdef-")


def _only(text: str, found: Sequence[WorkerSummary]) -> WorkerSummary:
    if len(found) == 1:
        return found[0]
    ids = ", ".join(f"{worker.id} ({worker.name})" for worker in found[:4])
    raise BadRequest(f"{text!r} can be {len(found)} workers: {ids}; give the id of one")
