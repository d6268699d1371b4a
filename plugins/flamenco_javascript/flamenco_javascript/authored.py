"""What a script made of a job: data from outside, checked and made into a job."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from typing import Any

import attrs
import msgspec

from flamenco_core.errors import JobTypeError
from flamenco_core.offers import AuthoredCommand, AuthoredJob, AuthoredTask
from flamenco_javascript.settings import Settings

__all__ = ["read_job"]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ONE_LINE = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f]+")
_MOST = 2**31 - 1


@attrs.frozen(kw_only=True)
class _Command:
    name: str
    parameters: dict[str, Any]
    steps: int


@attrs.frozen(kw_only=True)
class _Task:
    """A task; ``parents`` are positions, or names of tasks that were never added."""

    id: str
    name: str
    type: str
    priority: int
    commands: list[_Command]
    parents: list[int | str]


@attrs.frozen(kw_only=True)
class _Job:
    name: str
    priority: int
    settings: dict[str, Any]
    metadata: dict[str, str]


@attrs.frozen(kw_only=True)
class _Answer:
    job: _Job
    tasks: list[_Task]


def read_job(file: str, data: bytes, limits: Settings) -> AuthoredJob:
    """Read what a script answered; takes time for a large job, so call it in a thread.

    Raises `JobTypeError` that names the tasks that are wrong.
    """
    try:
        answer = msgspec.json.decode(data, type=_Answer)
    except (msgspec.DecodeError, RecursionError) as error:
        raise JobTypeError(f"{file}: this is no job: {error}") from None
    try:
        return _job(answer, limits)
    except ValueError as error:
        raise JobTypeError(f"{file}: {error}") from None


def _job(answer: _Answer, limits: Settings) -> AuthoredJob:
    if len(answer.tasks) > limits.tasks:
        cure = "(plugins: javascript: tasks)"
        raise ValueError(f"too large: it makes more than {limits.tasks} tasks {cure}")
    if not answer.job.name.strip():
        raise ValueError("the job needs a name")
    if abs(answer.job.priority) > _MOST:
        raise ValueError(f"the job's priority is too large: {answer.job.priority}")
    _ids_differ(answer.tasks)
    tasks = tuple(_task(task, answer.tasks, limits) for task in answer.tasks)
    _no_cycle(tasks)
    return AuthoredJob(
        name=answer.job.name,
        priority=answer.job.priority,
        settings=answer.job.settings,
        metadata=answer.job.metadata,
        tasks=tasks,
    )


def _ids_differ(tasks: Sequence[_Task]) -> None:
    seen: set[str] = set()
    for task in tasks:
        if not _UUID.fullmatch(task.id):
            raise ValueError(f"task {task.name!r}: {task.id!r:.60} is no UUID")
        if task.id in seen:
            raise ValueError(f"task {task.name!r} was added twice")
        seen.add(task.id)


def _task(task: _Task, tasks: Sequence[_Task], limits: Settings) -> AuthoredTask:
    if not _ONE_LINE.fullmatch(task.name):
        raise ValueError(f"{_called(task)}: its name must be a text of one line")
    if not _ONE_LINE.fullmatch(task.type):
        raise ValueError(f"{_called(task)}: its type must be a text of one line")
    if len(task.commands) > limits.commands:
        text = f"it has more than {limits.commands} commands (plugins: javascript: commands)"
        raise ValueError(f"{_called(task)}: too large: {text}")
    if abs(task.priority) > _MOST:
        raise ValueError(f"{_called(task)}: its priority is too large: {task.priority}")
    return AuthoredTask(
        id=task.id,
        name=task.name,
        type=task.type,
        priority=task.priority,
        commands=tuple(_command(command, task) for command in task.commands),
        parents=_parents(task, tasks) if task.parents else (),
    )


def _command(command: _Command, task: _Task) -> AuthoredCommand:
    if not _ONE_LINE.fullmatch(command.name):
        raise ValueError(f"{_called(task)}: a command needs a name of one line")
    if not 0 <= command.steps <= _MOST:
        raise ValueError(
            f"{_called(task)}: command {command.name!r} cannot have {command.steps} steps"
        )
    return AuthoredCommand(command.name, command.parameters, command.steps)


def _parents(task: _Task, tasks: Sequence[_Task]) -> tuple[int, ...]:
    known: dict[int, None] = {}
    for parent in task.parents:
        if isinstance(parent, str):
            raise ValueError(
                f"{_called(task)} depends on {parent!r:.100}, which is no task of this job;"
                " add it with job.addTask"
            )
        if not 0 <= parent < len(tasks):
            raise ValueError(f"{_called(task)} depends on task {parent}, which does not exist")
        if parent in known:
            raise ValueError(f"{_called(task)} depends twice on {tasks[parent].name!r:.100}")
        known[parent] = None
    return tuple(known)


def _called(task: _Task) -> str:
    return f"task {task.name!r:.100}"


def _no_cycle(tasks: Sequence[AuthoredTask]) -> None:
    """Take away tasks whose parents are gone; what stays waits for itself."""
    waiting = [len(task.parents) for task in tasks]
    children: list[list[int]] = [[] for _ in tasks]
    for place, task in enumerate(tasks):
        for parent in task.parents:
            children[parent].append(place)
    ready = deque(place for place, count in enumerate(waiting) if not count)
    while ready:
        for child in children[ready.popleft()]:
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    if any(waiting):
        raise ValueError(f"tasks wait for each other: {_cycle(tasks, waiting)}")


def _cycle(tasks: Sequence[AuthoredTask], waiting: Sequence[int]) -> str:
    """Write one cycle down; every task that still waits has a parent that does."""
    at = next(place for place, count in enumerate(waiting) if count)
    seen: dict[int, None] = {}
    while at not in seen:
        seen[at] = None
        at = next(parent for parent in tasks[at].parents if waiting[parent])
    path = list(seen)
    names = [repr(tasks[place].name) for place in [*path[path.index(at) :], at]]
    shown = names if len(names) <= 6 else [*names[:3], "…", *names[-2:]]
    return " → ".join(shown)
