"""Live events for browsers and tools, as server-sent events; ours, not in Flamenco 3."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Controller, get

from flamenco_core.errors import BadRequest
from flamenco_core.manager.bus import Bus, Numbered
from flamenco_core.manager.http.plumbing import Request, Stream, manager_of
from flamenco_core.offers.operations import Raw, operation
from flamenco_core.wire.converter import encode
from flamenco_core.wire.events import event_body, event_name, subject_of

__all__ = ["EventController"]

TOPICS = {
    "jobs": "job",
    "tasks": "task",
    "workers": "worker",
    "tags": "tag",
    "logs": "log",
    "images": "last-rendered",
    "jobtypes": "jobtype",
    "settings": "settings",
}
QUERY = {
    "topics": Annotated[str, f"Some of {', '.join(TOPICS)}; with commas between."],
    "job": Annotated[str, "Only this job's."],
    "task": Annotated[str, "Only this task's."],
}
RESUME = {"Last-Event-ID": Annotated[str, "The last event that was heard; go on after it."]}
PING = 15.0
"""Seconds without an event after which a comment shows that the line is alive."""


class EventController(Controller):
    """The stream of events."""

    path = "/api/v3/events"
    tags = ["meta"]

    @get("/", opt=operation("followEvents", Raw("text/event-stream"), query=QUERY, headers=RESUME))
    async def follow(self, request: Request[Any, Any, Any]) -> Stream:
        """Follow events: ``?topics=jobs,tasks,workers&job=ID&task=ID``.

        ``task=ID`` takes of the events of tasks only those of this one.
        ``Last-Event-ID`` resumes; an event ``reset`` means that some were missed and all
        should be read again. With several Managers on one database, each tells what happens
        on all of them, and resumes from its own numbers only.
        """
        wanted = _Filter(request)
        return Stream(
            _events(manager_of(request).bus, wanted, _last_seen(request)),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def _last_seen(request: Request[Any, Any, Any]) -> int | None:
    text = request.headers.get("last-event-id", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


class _Filter:
    def __init__(self, request: Request[Any, Any, Any]) -> None:
        query = request.query_params
        words = [word for word in query.get("topics", ",".join(TOPICS)).split(",") if word]
        if unknown := set(words) - set(TOPICS):
            raise BadRequest(f"unknown topics {sorted(unknown)}; there are {sorted(TOPICS)}")
        self._names = {TOPICS[word] for word in words} | {"lifecycle"}
        self._job, self._task = query.get("job", ""), query.get("task", "")

    def takes(self, numbered: Numbered) -> bool:
        if numbered.event is None:
            return True
        if event_name(numbered.event) not in self._names:
            return False
        job, task = subject_of(numbered.event)
        if self._task and task and task != self._task:
            return False
        return not (self._job and job and job != self._job)


async def _events(bus: Bus, wanted: _Filter, after: int | None) -> AsyncIterator[bytes]:
    subscription = bus.subscribe(after)
    try:
        # The number now: a client that is cut off before the first event can resume.
        yield f"retry: 1000\nid: {bus.number if after is None else after}\n: welcome\n\n".encode()
        while True:
            try:
                numbered = await subscription.next(PING)
            except TimeoutError:
                yield b": ping\n\n"
                continue
            if numbered is None:
                return
            if wanted.takes(numbered):
                yield _frame(numbered)
    finally:
        bus.unsubscribe(subscription)


def _frame(numbered: Numbered) -> bytes:
    if numbered.event is None:
        return f"id: {numbered.number}\nevent: reset\ndata: {{}}\n\n".encode()
    head = f"id: {numbered.number}\nevent: {event_name(numbered.event)}\ndata: "
    return head.encode() + encode(event_body(numbered.event)) + b"\n\n"
