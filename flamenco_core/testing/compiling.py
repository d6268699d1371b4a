"""Compile a job without a Manager."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flamenco_core.clock import new_id
from flamenco_core.errors import CommandError, UnknownCommand
from flamenco_core.manager.job_types import check_authored
from flamenco_core.offers.job_type import AuthoredCommand, JobTypeLike, Submission
from flamenco_core.offers.python_files import classes_in, imported
from flamenco_core.offers.python_job_type import JobType
from flamenco_core.plugins import Plugins
from flamenco_core.testing.compiled import CompiledJob
from flamenco_core.worker.app import create_worker
from flamenco_core.worker.executor import Executor
from flamenco_core.worker.settings import WorkerSettings

__all__ = ["compile_job", "found_job_type", "refused_commands"]

CREATED = 1_775_037_600_000_000
"""2026-04-01, 10:00 UTC: job types that write the time write the same in every run."""

AnyJobType = type[JobType] | JobTypeLike | Path | str


async def compile_job(
    job_type: AnyJobType,
    settings: Mapping[str, Any] | None = None,
    *,
    defaults: bool = True,
    **rest: Any,
) -> CompiledJob:
    """Return the tasks that a job type makes of *settings*.

    *job_type* is a class, anything that the Manager takes for a job type, or the path of
    a file: a script, or Python with one job type in it. Settings that are not given have
    their *defaults*, as clients fill them in; what Blender would evaluate stays out.
    *rest* are further fields of `Submission`. Raises `JobTypeError` as it would be shown
    to the artist.
    """
    found = await found_job_type(job_type)
    submission = Submission(
        **{
            "job_id": new_id(),
            "name": "test",
            "type": found.name,
            "priority": 50,
            "created": CREATED,
            "settings": {**(_defaults(found) if defaults else {}), **(settings or {})},
            **rest,
        }
    )
    job = await found.compile(submission)
    check_authored(job)
    return CompiledJob.of(job)


def refused_commands(job: CompiledJob) -> list[str]:
    """Return why a Worker with this machine's plugins would refuse commands of a job.

    Commands that no plugin here offers are left out: another machine may have them.
    """
    executor = Executor(create_worker(WorkerSettings(exec_allowed=True)).worker)
    found = (_refusal(executor, task.name, c) for task in job.tasks for c in task.commands)
    return [reason for reason in found if reason]


def _refusal(executor: Executor, task: str, command: AuthoredCommand) -> str:
    try:
        executor.command(command.name, command.parameters)
    except UnknownCommand:
        pass
    except CommandError as error:
        return f"task {task!r}: {error}"
    return ""


def _defaults(job_type: JobTypeLike) -> dict[str, Any]:
    given = ((setting.key, setting.default) for setting in job_type.settings)
    return {key: default for key, default in given if default is not None}


async def found_job_type(job_type: AnyJobType) -> JobTypeLike:
    """Return a job type, a class or a file in the form that the Manager uses."""
    if isinstance(job_type, str | Path):
        file = _existing(Path(job_type))
        return _in_python(file) if file.suffix == ".py" else await _in_script(file)
    if isinstance(job_type, type) and issubclass(job_type, JobType):
        return job_type.offered()
    assert isinstance(job_type, JobTypeLike), f"{job_type!r} is no job type"
    return job_type


def _existing(file: Path) -> Path:
    assert file.is_file(), f"there is no file {file}"
    return file


async def _in_script(file: Path) -> JobTypeLike:
    plugins = Plugins("manager")
    plugins.load_installed()
    found: JobTypeLike | None = await plugins.find("find_job_type", path=file, host=None)
    assert found is not None, f"no installed plugin knows job types in {file.suffix} files"
    return found


def _in_python(file: Path) -> JobTypeLike:
    classes = classes_in(imported(file))
    names = [cls.__name__ for cls in classes]
    assert len(classes) == 1, f"{file.name} has these job types: {names}; give the class itself"
    return classes[0].offered()
