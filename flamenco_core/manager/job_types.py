"""All job types of a Manager: single ones, and sets that change."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import msgspec

from flamenco_core.errors import Busy, JobTypeError, UnknownJobType
from flamenco_core.manager.limits import Limits
from flamenco_core.offers.job_type import (
    AuthoredCommand,
    AuthoredJob,
    AuthoredTask,
    JobTypeLike,
    JobTypes,
    TellsProblems,
)
from flamenco_core.offers.python_job_type import JobType

__all__ = ["JobTypeCatalog", "Survey", "check_authored"]

log = logging.getLogger(__name__)


@attrs.frozen
class Survey:
    """All usable job types, by name, and what is wrong with the others, by name."""

    job_types: Mapping[str, JobTypeLike]
    problems: Mapping[str, str]


class JobTypeCatalog:
    """Finds job types by name.

    Those of a set win over single ones of the same name: a studio's own scripts replace
    what came with a package.
    """

    def __init__(self, offers: Iterable[Any]) -> None:
        self._single: dict[str, JobTypeLike] = {}
        self._sets: list[JobTypes] = []
        self._listed: dict[str, list[JobTypeLike]] = {}
        self._failed: dict[str, str] = {}
        for offer in offers:
            if isinstance(offer, type) and issubclass(offer, JobType):
                self._single[offer.name] = offer.offered()
            elif isinstance(offer, JobTypes):
                self._sets.append(offer)
            else:
                self._single[offer.name] = offer

    async def all(self) -> list[JobTypeLike]:
        """Return all usable job types, by name."""
        return list((await self.survey()).job_types.values())

    async def survey(self) -> Survey:
        """Look at all job types, the broken ones too."""
        found = dict(self._single)
        problems: dict[str, str] = {}
        for job_types in self._sets:
            found.update({job_type.name: job_type for job_type in await self._list(job_types)})
            problems |= self._problems_of(job_types)
        # One that replaces another and is broken hides it: `get` finds none either.
        usable = {name: found[name] for name in sorted(found) if name not in problems}
        return Survey(usable, problems)

    async def _list(self, job_types: JobTypes) -> list[JobTypeLike]:
        name = job_types.name
        try:
            self._listed[name] = list(await job_types.all())
            self._failed.pop(name, None)
        except Busy:
            pass  # it could not look; so what it has seen before still counts
        # The border to other people's code: one broken set must not hide all the rest.
        except Exception as error:
            self._listed[name] = []
            text = f"its job types cannot be listed: {error!r:.500}"
            if self._failed.get(name) != text:  # once, not every second
                log.exception("the job types of %r cannot be listed", name)
            self._failed[name] = text
        return self._listed.get(name, [])

    def _problems_of(self, job_types: JobTypes) -> Mapping[str, str]:
        if job_types.name in self._failed:
            return {job_types.name: self._failed[job_types.name]}
        return job_types.problems() if isinstance(job_types, TellsProblems) else {}

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


def check_authored(job: AuthoredJob, limits: Limits | None = None) -> None:
    """Refuse a job that could not run to its end; raises `JobTypeError`."""
    limits = limits or Limits()
    if (count := len(job.tasks)) > limits.tasks_per_job:
        most = f"{limits.tasks_per_job} are possible (limits: tasks_per_job)"
        raise JobTypeError(f"{count} tasks are too many; at most {most}")
    for place, task in enumerate(job.tasks):
        if (count := len(task.commands)) > limits.commands_per_task:
            most = f"{limits.commands_per_task} (limits: commands_per_task)"
            raise JobTypeError(f"task {task.name!r} has {count} commands; the limit is {most}")
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
