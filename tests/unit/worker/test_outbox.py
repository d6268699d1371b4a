from __future__ import annotations

import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import attrs
import pytest

from flamenco_core.backoff import Backoff
from flamenco_core.clock import Clock, SystemClock
from flamenco_core.domain.statuses import TaskStatus
from flamenco_core.errors import Busy, Conflict, Refused
from flamenco_core.testing import FakeClock, a_task
from flamenco_core.wire.worker import AssignedTask, TaskUpdate
from flamenco_core.worker.answers import FINAL, error_for
from flamenco_core.worker.journal import Journal
from flamenco_core.worker.outbox import MERGED_BYTES, Outbox


@attrs.define
class Post:
    """Takes updates; before that it raises what is in *troubles*."""

    taken: list[tuple[str, TaskUpdate]] = attrs.field(factory=list)
    tried: list[tuple[str, TaskUpdate]] = attrs.field(factory=list)
    troubles: deque[Exception] = attrs.field(factory=deque)
    next_task: AssignedTask | None = None

    async def update(
        self, task_id: str, update: TaskUpdate, *, next_task: bool = False
    ) -> AssignedTask | None:
        await anyio.lowlevel.checkpoint()
        self.tried.append((task_id, update))
        if self.troubles:
            raise self.troubles.popleft()
        self.taken.append((task_id, update))
        return self.next_task if next_task else None


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


def an_outbox(path: Path, clock: Clock | None = None) -> Outbox:
    backoff = Backoff(first=0.001, longest=0.01, random=random.Random(7))
    return Outbox(Journal(path), clock=clock or SystemClock(), backoff=backoff)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Outbox]:
    outbox = an_outbox(path)
    await outbox.open()
    try:
        yield outbox
    finally:
        outbox.close()


@asynccontextmanager
async def sending(outbox: Outbox, post: Post) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(outbox.run, post)
        yield
        group.cancel_scope.cancel()


def a_log(text: str, seq: int, offset: int, epoch: int = 1) -> TaskUpdate:
    return TaskUpdate(log=text, seq=seq, log_offset=offset, epoch=epoch)


async def test_updates_arrive_in_order(path: Path, post: Post) -> None:
    async with opened(path) as outbox, sending(outbox, post):
        for number in range(20):
            await outbox.post("t", TaskUpdate(steps_completed=number))
        await outbox.flushed()
    assert [u.steps_completed for _, u in post.taken] == list(range(20))


async def test_trouble_keeps_an_update_and_its_order(path: Path, post: Post) -> None:
    post.troubles.extend([Busy("503")] * 5)
    async with opened(path) as outbox, sending(outbox, post):
        await outbox.post("t", TaskUpdate(activity="one"))
        await outbox.post("t", TaskUpdate(activity="two"))
        await outbox.flushed()
    assert [u.activity for _, u in post.taken] == ["one", "two"]
    assert [u.activity for _, u in post.tried] == ["one"] * 6 + ["two"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_answer_that_leaves_it_open_keeps_the_update(
    path: Path, post: Post, status: int
) -> None:
    error = error_for(status, "it", "")
    post.troubles.append(error)
    async with opened(path) as outbox:
        await outbox.post("t", TaskUpdate(activity="one"))
        assert not await outbox.flush_once(post)
        assert len(outbox) == 1
        assert await outbox.flush_once(post)
    assert len(post.taken) == 1


@pytest.mark.parametrize("status", sorted(FINAL))
async def test_a_final_answer_removes_it_and_is_told(path: Path, post: Post, status: int) -> None:
    told: list[tuple[str, int | None, Refused]] = []
    error = error_for(status, "it", "")
    post.troubles.append(error)
    async with opened(path) as outbox:
        outbox.on_refused = lambda *refusal: told.append(refusal)
        await outbox.post("t", TaskUpdate(activity="one", epoch=4))
        assert await outbox.flush_once(post)
        assert not len(outbox)
    assert told == [("t", 4, error)]
    async with opened(path) as again:
        assert not len(again)


async def test_what_was_not_sent_is_sent_by_the_next_process(path: Path, post: Post) -> None:
    async with opened(path) as outbox:
        await outbox.post("t", a_log("a\n", 1, 0))
        await outbox.post("t", a_log("b\n", 2, 2))
        await outbox.post("t", TaskUpdate(taskStatus=TaskStatus.COMPLETED, epoch=1, seq=3))
    async with opened(path) as again:
        assert len(again) == 3
        assert await again.flush_once(post)
        # Some may have arrived before: nothing is merged, each goes out as it was.
        assert [u.seq for _, u in post.taken] == [1, 2, 3]
        await again.post("t", TaskUpdate(activity="new"))
        assert await again.flush_once(post)
    assert post.taken[-1][1].activity == "new"
    async with opened(path) as third:
        assert not len(third)


async def test_neighbouring_logs_of_a_run_become_one(path: Path, post: Post) -> None:
    async with opened(path) as outbox:
        await outbox.post("t", a_log("a\n", 1, 0))
        await outbox.post("t", a_log("b\n", 2, 2))
        await outbox.post("t", TaskUpdate(steps_completed=1, seq=3, epoch=1))
        await outbox.post("t", a_log("c\n", 4, 4))
        await outbox.post("t", a_log("d\n", 1, 0, epoch=2))
        await outbox.post("u", a_log("e\n", 1, 0, epoch=2))
        assert await outbox.flush_once(post)
    assert [u for _, u in post.taken] == [
        a_log("a\nb\n", 2, 0),
        TaskUpdate(steps_completed=1, seq=3, epoch=1),
        a_log("c\n", 4, 4),
        a_log("d\n", 1, 0, epoch=2),
        a_log("e\n", 1, 0, epoch=2),
    ]
    async with opened(path) as again:
        assert not len(again)


async def test_what_was_sent_once_is_never_changed(path: Path, post: Post) -> None:
    post.troubles.append(Busy("no answer in time"))
    async with opened(path) as outbox:
        await outbox.post("t", a_log("a\n", 1, 0))
        assert not await outbox.flush_once(post)
        await outbox.post("t", a_log("b\n", 2, 2))
        assert await outbox.flush_once(post)
    assert [u for _, u in post.tried] == [
        a_log("a\n", 1, 0),
        a_log("a\n", 1, 0),
        a_log("b\n", 2, 2),
    ]


async def test_merged_logs_have_an_end(path: Path, post: Post) -> None:
    piece = "x" * (MERGED_BYTES // 2) + "\n"
    async with opened(path) as outbox:
        for seq in range(1, 5):
            await outbox.post("t", a_log(piece, seq, (seq - 1) * len(piece)))
        assert await outbox.flush_once(post)
    assert len(post.taken) == 4


async def test_a_merged_update_counts_as_delivered_for_all_its_parts(
    path: Path, post: Post
) -> None:
    async with opened(path) as outbox:
        parts = [await outbox.post("t", a_log("a\n", seq, seq)) for seq in range(1, 10)]
        async with anyio.create_task_group() as group:
            for part in parts:
                group.start_soon(part.delivered.wait)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(outbox.flush_once, post)
    assert len(post.taken) == 1


async def test_the_next_task_comes_with_the_answer(path: Path, post: Post) -> None:
    post.next_task = a_task(uuid="next")
    async with opened(path) as outbox, sending(outbox, post):
        ordinary = await outbox.post("t", TaskUpdate(activity="x"))
        last = await outbox.post("t", TaskUpdate(activity="y"), next_task=True)
        await last.delivered.wait()
        assert ordinary.answer is None
        assert last.answer == post.next_task


async def test_a_withdrawn_run_is_not_sent_any_more(path: Path, post: Post) -> None:
    async with opened(path) as outbox:
        await outbox.post("t", TaskUpdate(activity="old", epoch=1))
        await outbox.post("t", TaskUpdate(activity="new", epoch=2))
        await outbox.withdraw("t", 1)
        assert await outbox.flush_once(post)
    assert [u.activity for _, u in post.taken] == ["new"]
    async with opened(path) as again:
        assert not len(again)


async def test_a_refusal_of_one_run_leaves_the_others(path: Path, post: Post) -> None:
    post.troubles.append(Conflict("409"))
    async with opened(path) as outbox:
        await outbox.post("t", TaskUpdate(activity="one"))
        await outbox.post("u", TaskUpdate(activity="two"))
        assert await outbox.flush_once(post)
    assert [t for t, _ in post.taken] == ["u"]


async def test_a_full_disk_does_not_stop_the_work(
    path: Path, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path) as outbox:

        def full(*_: object) -> None:
            raise OSError(28, "no space left on device")

        monkeypatch.setattr(Journal, "add", full)
        await outbox.post("t", TaskUpdate(activity="one"))
        assert await outbox.flush_once(post)
    assert len(post.taken) == 1


async def test_pauses_after_trouble_grow(path: Path, post: Post, clock: FakeClock) -> None:
    outbox = Outbox(
        Journal(path),
        clock=clock,
        backoff=Backoff(first=1, longest=4, jitter=0, random=random.Random(7)),
    )
    await outbox.open()
    await outbox.post("t", TaskUpdate(activity="one"))
    post.troubles.extend([Busy("503")] * 5)
    async with sending(outbox, post):
        for pause in (1, 2, 4, 4, 4):
            await anyio.wait_all_tasks_blocked()
            assert clock.sleeping == [pause]
            await clock.advance(pause)
        await outbox.flushed()
    outbox.close()
    assert len(post.tried) == 6


async def test_log_that_waits_is_counted(path: Path, post: Post) -> None:
    async with opened(path) as outbox:
        await outbox.post("t", a_log("12345\n", 1, 0))
        await outbox.post("t", a_log("12345\n", 2, 6))
        assert outbox.log_bytes == 12
        await outbox.flush_once(post)
        assert outbox.log_bytes == 0
