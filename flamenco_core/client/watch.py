"""Wait for changes on the farm: told by the Manager, else by looking again."""

from __future__ import annotations

import queue
import socket
import threading
from contextlib import suppress
from typing import Self

import httpx

from flamenco_core.client.api import Client
from flamenco_core.client.sse import events_in

__all__ = ["Watch"]

_TOGETHER = 0.1
"""Seconds to gather events that come in a burst."""


class Watch:
    """A context in which `wait` returns when something may have changed.

    Events are hints only: the caller reads the present state again, so that a lost
    connection, a restarted Manager or one without events costs time but never truth.
    *poll* is the pause in seconds while there are no events, *calm* while there are.
    """

    def __init__(
        self,
        client: Client,
        topics: str,
        *,
        job: str = "",
        task: str = "",
        poll: float = 1.0,
        calm: float = 15.0,
    ) -> None:
        self._client = client.again()
        self._query = {k: v for k, v in (("topics", topics), ("job", job), ("task", task)) if v}
        self._poll, self._calm = poll, calm
        self._ticks: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._live = False
        self._last_id = ""
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._listen, name="flamenco-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # The thread sits in a read that only the other end, or this, can end.
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=2.0)

    @property
    def live(self) -> bool:
        """Whether the Manager tells of changes at the moment."""
        return self._live

    def wait(self) -> None:
        """Return when something may have changed, or after a pause."""
        with suppress(queue.Empty):
            self._ticks.get(timeout=self._calm if self._live else self._poll)
            self._over.wait(_TOGETHER)
            while True:
                self._ticks.get_nowait()

    def _listen(self) -> None:
        try:
            while not self._over.is_set() and self._stream():
                self._over.wait(self._poll)
        finally:
            self._client.close()

    def _stream(self) -> bool:
        """Read events until the stream ends; say whether trying again makes sense."""
        headers = {"Accept": "text/event-stream"}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        try:
            with self._client.transport.http.stream(
                "GET", "/api/v3/events", params=self._query, headers=headers, timeout=60.0
            ) as response:
                kind = response.headers.get("content-type", "")
                if not response.is_success or not kind.startswith("text/event-stream"):
                    return response.status_code >= 500
                self._told_by(response)
        except httpx.HTTPError:
            return True
        finally:
            self._live, self._socket = False, None
        return True

    def _told_by(self, response: httpx.Response) -> None:
        stream = response.extensions.get("network_stream")
        self._socket = stream.get_extra_info("socket") if stream else None
        self._live = True
        if self._over.is_set():
            return
        # What happened before the subscription is not told: look once.
        self._ticks.put(None)
        for event in events_in(response.iter_lines()):
            if self._over.is_set():
                return
            self._last_id = event.id
            self._ticks.put(None)
