"""Hold a worker's question for work until there is some."""

from __future__ import annotations

import asyncio
from typing import Any

from flamenco_core.manager.doorbell import Bell
from flamenco_core.manager.host import Manager
from flamenco_core.manager.http.plumbing import Request, beat_of, manager_of
from flamenco_core.manager.usecases.schedule import (
    AssignedRun,
    Nothing,
    StatusRequested,
    schedule_task,
)

__all__ = ["next_task"]

Found = AssignedRun | StatusRequested | Nothing


async def next_task(request: Request[Any, Any, Any], worker: str, seconds: float) -> Found:
    """Give a worker its next task; wait up to *seconds* for one."""
    manager = manager_of(request)
    mark = manager.doorbell.mark
    found: Found = await manager.store_briefly(schedule_task, worker)
    if seconds <= 0 or not isinstance(found, Nothing):
        return found
    hung_up = asyncio.create_task(_hung_up(request), name=f"line of worker {worker}")
    started = manager.clock.monotonic()
    try:
        return await _until_found(request, worker, found, mark, seconds, hung_up)
    finally:
        hung_up.cancel()
        request.scope["state"]["waited"] = manager.clock.monotonic() - started


async def _until_found(
    request: Request[Any, Any, Any],
    worker: str,
    found: Found,
    mark: int,
    seconds: float,
    hung_up: asyncio.Task[None],
) -> Found:
    manager = manager_of(request)
    deadline = manager.clock.monotonic() + seconds
    while isinstance(found, Nothing):
        left = deadline - manager.clock.monotonic()
        if left <= 0 or not await _rung(manager, worker, found, mark, left, hung_up):
            return found
        manager.liveness.heard(worker, beat_of(request))
        mark = manager.doorbell.mark
        found = await manager.store_briefly(schedule_task, worker)
        if isinstance(found, Nothing):
            manager.doorbell.pass_on(found.pools)
    return found


async def _rung(
    manager: Manager,
    worker: str,
    found: Nothing,
    mark: int,
    left: float,
    hung_up: asyncio.Task[None],
) -> bool:
    """Wait; say whether to look again. A worker that has hung up gets no task."""
    bell = asyncio.create_task(manager.doorbell.wait(worker, found.pools, mark, left))
    try:
        await asyncio.wait({bell, hung_up}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        bell.cancel()
    if hung_up.done():
        manager.doorbell.pass_on(found.pools)
        return False
    return bell.result() is Bell.RUNG


async def _hung_up(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
