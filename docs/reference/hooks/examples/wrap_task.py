"""Give each Blender task one of three licences, and take it back."""

from contextlib import asynccontextmanager

import anyio

from flamenco_core import hookimpl

licences = anyio.CapacityLimiter(3)


@asynccontextmanager
async def licence():
    async with licences:
        yield


@hookimpl
def wrap_task(task):
    return licence() if task.task_type == "blender" else None
