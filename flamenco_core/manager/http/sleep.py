"""The ``worker-mgt`` operations on sleep schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from litestar import Controller, delete, get, post

from flamenco_core.clock import rfc3339
from flamenco_core.domain.sleep_words import date_from, tidy, zone_named
from flamenco_core.errors import BadRequest
from flamenco_core.manager.http.plumbing import (
    Answer,
    Request,
    body_of,
    empty,
    manager_of,
    path_id,
    reply,
)
from flamenco_core.manager.store.sleep import StoredSchedule, Texts
from flamenco_core.manager.store.tags import all_tags
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases import sleep, tag_sleep
from flamenco_core.offers.operations import operation
from flamenco_core.wire.sleep import SleepSpan, WorkerSleepSchedule

__all__ = ["SleepController", "TagSleepController"]

T = TypeVar("T")


class SleepController(Controller):
    """When workers sleep."""

    path = "/api/v3/worker-mgt/workers/{worker_id:str}/sleep-schedule"
    tags = ["worker-mgt"]

    @get("/", opt=operation("fetchWorkerSleepSchedule", {200: WorkerSleepSchedule, 204: None}))
    async def fetch_schedule(self, request: Request[Any, Any, Any]) -> Answer:
        """Show a worker's sleep schedule."""
        worker = path_id(request, "worker_id")
        stored, tag = await manager_of(request).database.read(_with_tag, worker)
        return reply(_view(stored, tag)) if stored else empty()

    @post("/", opt=operation("setWorkerSleepSchedule", takes=WorkerSleepSchedule), status_code=200)
    async def set_schedule(self, request: Request[Any, Any, Any]) -> Answer:
        """Give a worker a sleep schedule; it acts at once."""
        manager, worker = manager_of(request), path_id(request, "worker_id")
        change = _change(await body_of(request, WorkerSleepSchedule))
        await manager.database.write(sleep.set_schedule, worker, change, manager.rules.zone)
        return empty()

    @delete("/", opt=operation("deleteWorkerSleepSchedule"), status_code=200)
    async def forget_schedule(self, request: Request[Any, Any, Any]) -> Answer:
        """Let a worker follow its tags' schedule, or none."""
        manager, worker = manager_of(request), path_id(request, "worker_id")
        await manager.database.write(tag_sleep.forget_own_schedule, worker, manager.rules.zone)
        return empty()


class TagSleepController(Controller):
    """When workers with a tag sleep that have no schedule of their own."""

    path = "/api/v3/worker-mgt/tag/{tag_id:str}/sleep-schedule"
    tags = ["worker-mgt"]

    @get("/", opt=operation("fetchTagSleepSchedule", {200: WorkerSleepSchedule, 204: None}))
    async def fetch_schedule(self, request: Request[Any, Any, Any]) -> Answer:
        """Show a tag's sleep schedule, and what it says now."""
        manager, tag = manager_of(request), path_id(request, "tag_id")
        database, zone = manager.database, manager.rules.zone
        stored = await database.read(tag_sleep.get_tag_schedule, tag, zone)
        return reply(_view(stored)) if stored else empty()

    @post("/", opt=operation("setTagSleepSchedule", takes=WorkerSleepSchedule), status_code=200)
    async def set_schedule(self, request: Request[Any, Any, Any]) -> Answer:
        """Give a tag a sleep schedule; it acts at once."""
        manager, tag = manager_of(request), path_id(request, "tag_id")
        change = _change(await body_of(request, WorkerSleepSchedule))
        await manager.database.write(tag_sleep.set_tag_schedule, tag, change, manager.rules.zone)
        return empty()

    @delete("/", opt=operation("deleteTagSleepSchedule"), status_code=200)
    async def forget_schedule(self, request: Request[Any, Any, Any]) -> Answer:
        """Let a tag have no sleep schedule any more."""
        manager, tag = manager_of(request), path_id(request, "tag_id")
        await manager.database.write(tag_sleep.forget_tag_schedule, tag, manager.rules.zone)
        return empty()


def _with_tag(tx: Tx, worker: str) -> tuple[StoredSchedule | None, str | None]:
    stored = sleep.get_schedule(tx, worker)
    if stored is None or stored.tag_id is None:
        return stored, None
    names = {tag.id: tag.name for tag in all_tags(tx)}
    return stored, names.get(stored.tag_id)


def _view(stored: StoredSchedule, tag: str | None = None) -> WorkerSleepSchedule:
    (days, start, end), *more = stored.spans
    return WorkerSleepSchedule(
        is_active=stored.is_active,
        days_of_week=days,
        start_time=start,
        end_time=end,
        more_spans=[
            SleepSpan(days_of_week=days, start_time=start, end_time=end)
            for days, start, end in more
        ],
        exceptions=list(stored.days_off),
        time_zone=stored.time_zone,
        finish_task=stored.is_lazy,
        status=stored.wanted,
        next_change=rfc3339(stored.next_check) if stored.next_check is not None else None,
        tag=tag,
    )


def _change(body: WorkerSleepSchedule) -> sleep.ScheduleChange:
    more, days_off, zone = body.more_spans, body.exceptions, body.time_zone
    if zone is not None:
        _read("time_zone", zone_named, zone)
    return sleep.ScheduleChange(
        is_active=body.is_active,
        span=_span(body),
        more_spans=None if more is None else tuple(map(_span, more)),
        days_off=None if days_off is None else tuple(sorted(set(map(_day, days_off)))),
        time_zone=zone,
        is_lazy=body.finish_task,
    )


def _span(body: WorkerSleepSchedule | SleepSpan) -> Texts:
    return _read("times", tidy, body.days_of_week, body.start_time, body.end_time)


def _day(text: str) -> str:
    return _read("exceptions", date_from, text).isoformat()


def _read(key: str, read: Callable[..., T], *texts: str) -> T:
    try:
        return read(*texts)
    except ValueError as error:
        raise BadRequest(f"WorkerSleepSchedule.{key}: {error}") from None
