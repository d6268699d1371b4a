"""Updates on their way to the Manager: on disk first, sent in order, never dropped.

An update leaves the outbox only when the Manager has taken it or has given an answer that
sending it again cannot change. Until then it is tried again, with growing pauses, also
after a crash and a restart.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeVar

import anyio
import anyio.to_thread
import attrs

from flamenco_core.backoff import Backoff
from flamenco_core.clock import Clock
from flamenco_core.errors import Busy, Refused
from flamenco_core.wire import converter
from flamenco_core.wire.worker import AssignedTask, TaskUpdate
from flamenco_core.worker.journal import Journal, Record

__all__ = ["Outbox", "Posted"]

log = logging.getLogger(__name__)

T = TypeVar("T")

MERGED_BYTES = 256 * 1024


class Sender(Protocol):
    """Delivers one update; `Busy` means later, `Refused` means never."""

    async def update(
        self, task_id: str, update: TaskUpdate, *, next_task: bool = False
    ) -> AssignedTask | None:
        """Deliver it; return the next task if the Manager sent one along."""


@attrs.define(eq=False)
class Posted:
    """One update in the outbox."""

    numbers: tuple[int, ...]
    """Its records in the journal: several, once neighbours were merged."""
    task_id: str
    update: TaskUpdate
    next_task: bool = False
    mergeable: bool = False
    delivered: anyio.Event = attrs.field(factory=anyio.Event)
    """Set when it is settled: taken, refused or withdrawn."""
    answer: AssignedTask | None = None
    merged: list[Posted] = attrs.field(factory=list)
    """Those that have become part of this one."""

    @property
    def size(self) -> int:
        """Bytes of log text, roughly."""
        return len(self.update.log or "")


class Outbox:
    """The one way from a run to the Manager."""

    def __init__(
        self,
        journal: Journal,
        *,
        clock: Clock,
        backoff: Backoff,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._backoff = backoff
        self.on_refused: Callable[[str, int | None, Refused], None] = lambda *_: None
        """Told the task, the epoch and the reason when no more of a run is taken."""
        self._waiting: deque[Posted] = deque()
        self._number = 0
        self._lock = anyio.Lock()
        self._news = anyio.Event()
        self._empty = anyio.Event()
        self._empty.set()
        self.log_bytes = 0
        """Log text that is still to be delivered, in bytes, roughly."""

    async def open(self) -> int:
        """Read what an earlier process left; return how many updates that is."""
        for record in await anyio.to_thread.run_sync(self._journal.open):
            update = converter.structure(record.data["update"], TaskUpdate)
            # Some of these may have been sent before: they go out exactly as they were.
            self._number = record.number
            self._join(Posted((record.number,), record.data["task"], update))
        return len(self._waiting)

    def close(self) -> None:
        """Close the file; what is in it will be sent by the next process."""
        self._journal.close()

    def __len__(self) -> int:
        return len(self._waiting)

    async def post(self, task_id: str, update: TaskUpdate, *, next_task: bool = False) -> Posted:
        """Take an update; it is on disk when this returns."""
        async with self._lock:
            self._number += 1
            posted = Posted((self._number,), task_id, update, next_task, _only_log(update))
            data = {"task": task_id, "update": converter.unstructure(update)}
            await self._on_disk(self._journal.add, Record(self._number, data))
            self._join(posted)
        return posted

    async def flushed(self) -> None:
        """Wait until everything is settled."""
        await self._empty.wait()

    async def withdraw(self, task_id: str, epoch: int | None) -> None:
        """Send no more of a run that is not ours any longer."""
        mine = [p for p in self._waiting if (p.task_id, p.update.epoch) == (task_id, epoch)]
        await self._settle(mine)

    async def run(self, sender: Sender) -> None:
        """Deliver, until cancelled."""
        while True:
            if not self._waiting:
                await self._news.wait()
            elif await self._deliver(sender):
                self._backoff.reset()
            else:
                await self._clock.sleep(self._backoff.pause())

    async def flush_once(self, sender: Sender) -> bool:
        """Deliver what is waiting, without trying anything twice; say if all is settled."""
        while self._waiting:
            if not await self._deliver(sender):
                return False
        return True

    async def _deliver(self, sender: Sender) -> bool:
        posted = self._merged_head()
        task_id, update = posted.task_id, posted.update
        # Once sent it may have arrived, whatever we hear: from now on it stays what it is.
        posted.mergeable = False
        try:
            posted.answer = await sender.update(task_id, update, next_task=posted.next_task)
        except Refused as error:
            log.warning("a report of task %s is not taken: %s", task_id, error)
            await self._settle([posted])
            self.on_refused(task_id, update.epoch, error)
        except Busy as error:
            log.warning("%d reports are waiting: %s", len(self._waiting), error)
            return False
        else:
            await self._settle([posted])
        return True

    def _merged_head(self) -> Posted:
        """Merge the first update with log updates of the same run that follow it."""
        head = self._waiting[0]
        while len(self._waiting) > 1 and _fits(head, follower := self._waiting[1]):
            del self._waiting[1]
            head.numbers += follower.numbers
            # The last `seq` of them: the Manager takes lower ones for repetitions. Where
            # the text belongs is said by the first one's `log_offset`.
            text = (head.update.log or "") + (follower.update.log or "")
            head.update = attrs.evolve(head.update, log=text, seq=follower.update.seq)
            head.merged += [follower, *follower.merged]
        return head

    async def _settle(self, settled: list[Posted]) -> None:
        gone = [posted for posted in settled if posted in self._waiting]
        for posted in gone:
            self._waiting.remove(posted)
            self.log_bytes -= posted.size
        if gone:
            async with self._lock:
                numbers = [number for posted in gone for number in posted.numbers]
                await self._on_disk(self._journal.remove, numbers)
        for posted in gone:
            for one in (posted, *posted.merged):
                one.delivered.set()
        if not self._waiting:
            self._empty.set()

    def _join(self, posted: Posted) -> None:
        self._waiting.append(posted)
        self.log_bytes += posted.size
        if self._empty.is_set():
            self._empty = anyio.Event()
        self._news.set()
        self._news = anyio.Event()

    async def _on_disk(self, write: Callable[[T], None], what: T) -> None:
        try:
            await anyio.to_thread.run_sync(write, what)
        except OSError as error:
            # A full disk must not end a render: go on from memory, and say so.
            log.error("%s cannot be written: %s", self._journal.path, error)


def _only_log(update: TaskUpdate) -> bool:
    return update.log is not None and (
        update.taskStatus is None and update.activity is None and update.steps_completed is None
    )


def _fits(head: Posted, follower: Posted) -> bool:
    return (
        head.mergeable
        and follower.mergeable
        and (head.task_id, head.update.epoch) == (follower.task_id, follower.update.epoch)
        and head.size + follower.size <= MERGED_BYTES
    )
