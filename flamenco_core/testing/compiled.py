"""A compiled job in a form that tests can easily say something about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from flamenco_core.offers.job_type import AuthoredCommand, AuthoredJob, AuthoredTask

__all__ = ["CompiledJob", "CompiledTask"]


@attrs.frozen(kw_only=True)
class CompiledTask:
    """One task, with the names of those that it waits for."""

    name: str
    type: str
    priority: int
    commands: tuple[AuthoredCommand, ...]
    after: tuple[str, ...]
    parents: tuple[int, ...]
    steps_total: int
    id: str

    def command(self, name: str) -> Mapping[str, Any]:
        """Return the parameters of the one command with this name.

        Raises `AssertionError` that says which there are.
        """
        found = [command for command in self.commands if command.name == name]
        there = [command.name for command in self.commands]
        assert len(found) == 1, f"task {self.name!r} has {len(found)} {name!r} in {there}"
        return found[0].parameters


@attrs.frozen(kw_only=True)
class CompiledJob:
    """What a job type made of a submission; ``print(job)`` shows it in lines."""

    name: str
    priority: int
    settings: Mapping[str, Any]
    metadata: Mapping[str, str]
    tasks: tuple[CompiledTask, ...]

    @classmethod
    def of(cls, job: AuthoredJob) -> CompiledJob:
        """Take a job as a job type returns it."""
        names = [task.name for task in job.tasks]
        return cls(
            name=job.name,
            priority=job.priority,
            settings=job.settings,
            metadata=job.metadata,
            tasks=tuple(_task(task, names) for task in job.tasks),
        )

    @property
    def names(self) -> list[str]:
        """The names of the tasks, in their order."""
        return [task.name for task in self.tasks]

    def task(self, name: str) -> CompiledTask:
        """Return the one task with this name.

        Raises `AssertionError` that says which there are.
        """
        found = [task for task in self.tasks if task.name == name]
        assert len(found) == 1, f"{len(found)} tasks are called {name!r}; there are {self.names}"
        return found[0]

    def of_type(self, type: str) -> list[CompiledTask]:
        """Return the tasks of a type, such as ``blender``, in their order."""
        return [task for task in self.tasks if task.type == type]

    def __str__(self) -> str:
        """Write each task and command on a line, to look at or to compare as a whole."""
        return "\n".join(line for task in self.tasks for line in _lines(task))


def _task(task: AuthoredTask, names: list[str]) -> CompiledTask:
    return CompiledTask(
        name=task.name,
        type=task.type,
        priority=task.priority,
        commands=task.commands,
        after=tuple(names[parent] for parent in task.parents),
        parents=task.parents,
        steps_total=task.steps_total,
        id=task.id,
    )


def _lines(task: CompiledTask) -> Iterator[str]:
    waits = f" after {', '.join(task.after)}" if task.after else ""
    yield f"{task.name} [{task.type}]{waits}"
    for command in task.commands:
        values = (
            f"{key}={json.dumps(value, ensure_ascii=False)}"
            for key, value in command.parameters.items()
        )
        yield " ".join([f"  {command.name}", *values])
