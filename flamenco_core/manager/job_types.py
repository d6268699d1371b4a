"""All job types of a Manager: single ones, and sets that change."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

import msgspec

from flamenco_core.errors import JobTypeError, UnknownJobType
from flamenco_core.offers.job_type import (
    AuthoredCommand,
    AuthoredJob,
    AuthoredTask,
    JobTypeLike,
    JobTypes,
)
from flamenco_core.offers.python_job_type import JobType

__all__ = ["JobTypeCatalog", "check_authored"]

log = logging.getLogger(__name__)

MAX_TASKS = 100_000
MAX_COMMANDS = 50


class JobTypeCatalog:
    """Finds job types by name.

    Those of a set win over single ones of the same name: a studio's own scripts replace
    what came with a package.
    """

    def __init__(self, offers: Iterable[Any]) -> None:
        self._single: dict[str, JobTypeLike] = {}
        self._sets: list[JobTypes] = []
        for offer in offers:
            if isinstance(offer, type) and issubclass(offer, JobType):
                self._single[offer.name] = offer.offered()
            elif isinstance(offer, JobTypes):
                self._sets.append(offer)
            else:
                self._single[offer.name] = offer

    async def all(self) -> list[JobTypeLike]:
        """Return all usable job types, by name."""
        found = dict(self._single)
        for job_types in self._sets:
            try:
                found.update({job_type.name: job_type for job_type in await job_types.all()})
            # The border to other people's code: one broken set must not hide all the rest.
            except Exception:
                log.exception("the job types of %r cannot be listed", job_types.name)
        return [found[name] for name in sorted(found)]

    async def get(self, name: str) -> JobTypeLike:
        """Return a job type.

        Raises `UnknownJobType`, or `JobTypeError` if it is there but broken.
        """
        for job_types in self._sets:
            if (found := await job_types.get(name)) is not None:
                return found
        if name in self._single:
            return self._single[name]
        raise UnknownJobType(f"job type unknown: {name!r}; refresh the list of job types")


def check_authored(job: AuthoredJob) -> None:
    """Refuse a job that could not run to its end; raises `JobTypeError`."""
    if len(job.tasks) > MAX_TASKS:
        raise JobTypeError(f"{len(job.tasks)} tasks are too many; at most {MAX_TASKS} are possible")
    for place, task in enumerate(job.tasks):
        if len(task.commands) > MAX_COMMANDS:
            raise JobTypeError(
                f"task {task.name!r} has {len(task.commands)} commands; the limit is {MAX_COMMANDS}"
            )
        if "\0" in f"{task.name}{task.type}{task.id}":
            raise JobTypeError(f"task {task.name!r} has a NUL character in its name or type")
        for parent in task.parents:
            if not 0 <= parent < len(job.tasks) or parent == place:
                raise JobTypeError(f"task {task.name!r} depends on a task that is not in the job")
        for command in task.commands:
            _refuse_unfit(task, command)
    _refuse_cycles(job)


def _refuse_unfit(task: AuthoredTask, command: AuthoredCommand) -> None:
    try:
        if b"null" in msgspec.json.encode(dict(command.parameters)):
            # It may stand for a number that is none; the slower encoder knows.
            json.dumps(dict(command.parameters), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise JobTypeError(
            f"task {task.name!r}: the parameters of {command.name!r} are no JSON: {error}"
        ) from error


def _refuse_cycles(job: AuthoredJob) -> None:
    # Kahn's way: take away tasks without unfinished parents until none is left.
    waiting = [len(set(task.parents)) for task in job.tasks]
    children: dict[int, list[int]] = {}
    for place, task in enumerate(job.tasks):
        for parent in set(task.parents):
            children.setdefault(parent, []).append(place)
    free = [place for place, count in enumerate(waiting) if count == 0]
    done = 0
    while free:
        done += 1
        for child in children.get(free.pop(), ()):
            waiting[child] -= 1
            if waiting[child] == 0:
                free.append(child)
    if done < len(job.tasks):
        names = [t.name for t, count in zip(job.tasks, waiting, strict=True) if count][:5]
        raise JobTypeError(f"tasks wait for each other in a circle: {', '.join(names)}")
