"""Runs one command as a Worker does, without a Manager."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flamenco_core.offers.task import CommandToRun, TaskToRun
from flamenco_core.testing.record import Record
from flamenco_core.worker.app import create_worker
from flamenco_core.worker.executor import Executor
from flamenco_core.worker.parameters import build
from flamenco_core.worker.settings import WorkerSettings

__all__ = ["run_as_worker"]


async def run_as_worker(
    name: str,
    parameters: Mapping[str, Any],
    plugins: Iterable[object] = (),
    *,
    settings: Mapping[str, Any],
    task_type: str = "misc",
    job_type: str = "test",
) -> Record:
    """Run the command *name*; return what it did. Raises what it raises.

    A faulty plugin raises as well, instead of being left out.
    """
    chosen = build(WorkerSettings, settings, "setting")
    worker = create_worker(chosen, plugins=plugins, discover=False, strict=True).worker
    task = TaskToRun(
        id=worker.new_id(),
        job_id=worker.new_id(),
        name=name,
        job_type=job_type,
        task_type=task_type,
        commands=(CommandToRun(name=name, parameters=parameters),),
        epoch=1,
    )
    record = Record(environment=worker.task_environment)
    await Executor(worker).run(task, record)
    # The step is the executor's own, for commands that report none: it is not the command's.
    record.steps -= 1
    return record
