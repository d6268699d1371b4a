"""Make commits durable together, and tell of them in the order in which they were made.

Several threads commit at the same time, without waiting for the disk: a row that many
change would be locked for as long as the disk takes, for each of them. Then one flush
makes all of these commits durable, and only now they are answered. That is safe, because
the log of the database is written in order: what is on disk has all that it builds on.

A transaction that changed what another had changed before must be told of later. It could
only go on when the other was committed; so numbers that are drawn just before each commit
are in the right order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Delivery"]

T = TypeVar("T")


class Delivery(Generic[T]):
    """Hands on commits once they are durable; runs a thread of its own.

    *flush* makes durable what is committed; it may raise. *post* then gets the commits,
    in order, and what flush raised. Both are called by the thread.
    """

    def __init__(
        self,
        flush: Callable[[], object],
        post: Callable[[Sequence[T], Exception | None], object],
    ) -> None:
        self._flush = flush
        self._post = post
        self._changed = threading.Condition()
        self._drawn = 0
        self._passed = 0
        self._waiting: dict[int, T | None] = {}
        self._ready: list[T] = []
        self._closed = False
        # A daemon: a Manager that dies without `close` must not hang in its exit.
        self._thread = threading.Thread(target=self._run, name="flamenco-flush", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Hand on what is left and end the thread; nothing may be drawn any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def draw(self) -> int:
        """Return the number of a commit that is about to be made."""
        with self._changed:
            self._drawn += 1
            return self._drawn

    def finish(self, number: int, commit: T | None) -> None:
        """Hand on a commit, or `None` if it failed; each drawn number is finished once."""
        with self._changed:
            self._waiting[number] = commit
            while self._passed + 1 in self._waiting:
                self._passed += 1
                if (next_commit := self._waiting.pop(self._passed)) is not None:
                    self._ready.append(next_commit)
            if self._ready:
                self._changed.notify()

    def _run(self) -> None:
        while commits := self._next():
            failure: Exception | None = None
            try:
                self._flush()
            # The border to the disk: whoever waits must hear of it, the thread must live on.
            except Exception as error:
                failure = error
            self._post(commits, failure)

    def _next(self) -> Sequence[T]:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._closed)
            ready, self._ready = self._ready, []
            return ready
