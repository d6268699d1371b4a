"""Find jobs and tasks by their ids, or by the first characters of these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

import attrs

from flamenco_core.cli.output import short
from flamenco_core.client import Client
from flamenco_core.errors import BadRequest, NotFound
from flamenco_core.wire.jobs import Job
from flamenco_core.wire.tasks import Task, TaskSummary

__all__ = ["find_either", "find_job", "find_task"]

_SHORTEST = 4
_CERTAIN = 8
"""Characters from which on two ids of one farm will not share them by chance."""
_JOBS_SEARCHED = 200


@attrs.frozen
class _Hit:
    """One thing whose id begins with what was typed."""

    kind: str
    id: str
    name: str


def find_job(client: Client, text: str) -> Job:
    """Return the job; raises `NotFound`, or `BadRequest` if several could be meant."""
    if _is_uuid(text):
        return client.job(text.lower())
    prefix = _prefix(text)
    jobs = {job.id: job for job in client.jobs() if job.id.startswith(prefix)}
    hit = _only("job", text, [_Hit("job", job.id, job.name) for job in jobs.values()])
    return jobs[hit.id]


def find_task(client: Client, text: str) -> Task:
    """Return the task; ``JOB/3`` is the third task of a job."""
    if _is_uuid(text):
        return client.task(text.lower())
    job, slash, which = text.partition("/")
    if slash:
        return client.task(_task_of(client, find_job(client, job), which).id)
    hits = [_Hit("task", task.id, task.name) for task in _tasks(client, _prefix(text))]
    return client.task(_only("task", text, hits, _searched(client)).id)


def find_either(client: Client, text: str) -> Job | Task:
    """Return the job or the task that is meant."""
    if "/" in text:
        return find_task(client, text)
    if _is_uuid(text):
        return _job_or_task(client, text.lower())
    prefix = _prefix(text)
    jobs = {job.id: job for job in client.jobs() if job.id.startswith(prefix)}
    hits = [_Hit("job", job.id, job.name) for job in jobs.values()]
    # A short prefix of a job can be that of a task, too; acting on the wrong one is worse
    # than a slow search.
    if not hits or len(prefix) < _CERTAIN:
        hits += [_Hit("task", task.id, task.name) for task in _tasks(client, prefix)]
    hit = _only("job or task", text, hits, _searched(client))
    return jobs[hit.id] if hit.kind == "job" else client.task(hit.id)


def _job_or_task(client: Client, id: str) -> Job | Task:
    try:
        return client.job(id)
    except NotFound:
        pass
    try:
        return client.task(id)
    except NotFound:
        raise NotFound(f"there is no job or task {id}; 'flamenco jobs' lists the jobs") from None


def _task_of(client: Client, job: Job, which: str) -> TaskSummary:
    tasks = client.tasks(job.id)
    found = [t for t in tasks if which in (str(t.index_in_job), t.name, t.id)]
    found = found or [t for t in tasks if which and t.id.startswith(which.lower())]
    if len(found) == 1:
        return found[0]
    raise NotFound(
        f"job {short(job.id)} has {'several tasks' if found else 'no task'} {which!r};"
        f" 'flamenco tasks {short(job.id)}' lists them"
    )


def _tasks(client: Client, prefix: str) -> Iterator[TaskSummary]:
    """Search the tasks of the newest jobs; the API has no way to ask for them by prefix."""
    newest = sorted(client.jobs(), key=lambda job: job.updated, reverse=True)
    for job in newest[:_JOBS_SEARCHED]:
        yield from (task for task in client.tasks(job.id) if task.id.startswith(prefix))


def _searched(client: Client) -> str:
    if len(client.jobs()) <= _JOBS_SEARCHED:
        return ""
    return f" among the {_JOBS_SEARCHED} newest jobs; give the whole id, or JOB/TASK"


def _prefix(text: str) -> str:
    prefix = text.strip().lower()
    if not set(prefix) <= set("0123456789abcdef-"):
        raise BadRequest(f"{text!r} is no id; 'flamenco jobs' lists those of the jobs")
    if len(prefix) < _SHORTEST:
        raise BadRequest(f"{text!r} is too short for an id; give {_SHORTEST} characters or more")
    return prefix


def _only(kind: str, text: str, hits: Iterable[_Hit], where: str = "") -> _Hit:
    found = {hit.id: hit for hit in hits}
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise NotFound(f"there is no {kind} {text!r}{where or '; see flamenco jobs'}")
    several = ", ".join(f"{hit.kind} {hit.id} ({hit.name})" for hit in list(found.values())[:4])
    raise BadRequest(f"{text!r} can be {len(found)} things: {several}; give more characters")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
