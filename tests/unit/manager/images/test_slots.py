from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.errors import Busy
from flamenco_core.manager.images.slots import Slots, Upload


def upload(job: str, number: int = 0, size: int = 1) -> Upload:
    return Upload(job=job, task=f"{job}{number}", kind="PNG", image=b"x" * size)


async def taken(slots: Slots) -> str:
    async with asyncio.timeout(5):
        return (await slots.take()).task


async def test_only_the_newest_of_a_job_waits() -> None:
    slots = Slots()
    for n in range(100):
        slots.put(upload("a", n))
    assert len(slots) == 1
    assert slots.dropped == 99
    assert await taken(slots) == "a99"
    assert len(slots) == 0


async def test_a_job_that_floods_does_not_starve_others() -> None:
    slots = Slots()
    slots.put(upload("flood", 0))
    slots.put(upload("b"))
    slots.put(upload("c"))
    turns = []
    for n in range(1, 7):
        # Before and after each turn the one job sends again.
        slots.put(upload("flood", n * 10))
        task = await taken(slots)
        slots.put(upload("flood", n * 10 + 1))
        slots.done(upload(task.rstrip("0123456789")))
        turns.append(task)
    assert turns[:3] == ["flood10", "b0", "c0"]
    slots.put(upload("late"))
    assert await taken(slots) == "flood61"
    slots.put(upload("flood", 99))
    slots.done(upload("flood"))
    assert [await taken(slots), await taken(slots)] == ["late0", "flood99"]


async def test_two_images_of_a_job_are_never_out_at_once() -> None:
    slots = Slots()
    slots.put(upload("a", 1))
    assert await taken(slots) == "a1"
    slots.put(upload("a", 2))
    other = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    assert not other.done()
    slots.done(upload("a"))
    assert (await other).task == "a2"


async def test_all_who_wait_are_served() -> None:
    slots = Slots()
    waiting = [asyncio.create_task(taken(slots)) for _ in range(3)]
    await asyncio.sleep(0)
    for job in "abc":
        slots.put(upload(job))
    assert sorted(await asyncio.gather(*waiting)) == ["a0", "b0", "c0"]


async def test_a_cancelled_wait_loses_nothing() -> None:
    slots = Slots()
    waiting = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    slots.put(upload("a"))
    waiting.cancel()
    await asyncio.wait({waiting})
    assert await taken(slots) == "a0"


async def test_it_is_known_when_nothing_is_left_to_do() -> None:
    slots = Slots()
    await slots.idle()
    slots.put(upload("a", 1))
    slots.put(upload("b"))
    idle = asyncio.create_task(slots.idle())
    for _ in range(2):
        await taken(slots)
    slots.put(upload("a", 2))
    slots.done(upload("a"))
    slots.done(upload("b"))
    await asyncio.sleep(0)
    assert not idle.done()
    slots.done(await slots.take())
    await idle


def received(slots: Slots, new: Upload) -> bool:
    """Let an image come in; say whether there was room for it."""
    try:
        with slots.room(new.job, len(new.image)):
            slots.put(new)
    except Busy:
        return False
    return True


async def test_together_they_have_a_limit() -> None:
    slots = Slots(most_bytes=10)
    assert received(slots, upload("a", size=6))
    assert not received(slots, upload("b", size=5))
    assert received(slots, upload("b", size=4))
    assert (slots.refused, slots.dropped) == (1, 0)
    # What is looked at takes room until that is over.
    a = await slots.take()
    assert not received(slots, upload("c", size=6))
    slots.done(a)
    assert received(slots, upload("c", size=6))


async def test_ones_own_older_image_makes_room() -> None:
    slots = Slots(most_bytes=10)
    for job in "ab":
        assert received(slots, upload(job, 1, size=5))
    assert received(slots, upload("b", 2, size=5))
    assert not received(slots, upload("a", 2, size=6))
    assert (slots.refused, slots.dropped) == (1, 2)
    assert await taken(slots) == "b2"
    assert len(slots) == 0


async def test_what_is_still_received_takes_room() -> None:
    slots = Slots(most_bytes=10)
    with slots.room("a", 8):
        assert not received(slots, upload("b", size=3))
        assert received(slots, upload("b", size=2))
    with pytest.raises(RuntimeError), slots.room("a", 8):
        raise RuntimeError
    assert received(slots, upload("c", size=8))


async def test_a_newer_one_of_a_job_at_work_may_make_room_too() -> None:
    slots = Slots(most_bytes=9)
    assert received(slots, upload("a", 1, size=3))
    first = await slots.take()
    assert received(slots, upload("a", 2, size=3))
    assert received(slots, upload("b", size=3))
    assert received(slots, upload("a", 3, size=2))
    slots.done(first)
    assert [await taken(slots), await taken(slots)] == ["b0", "a3"]


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5), st.booleans()), max_size=60)


@pytest.mark.parametrize("most", [8, 1000])
@given(steps=STEPS)
def test_whatever_comes_it_adds_up(most, steps) -> None:
    async def play() -> None:
        slots, seen, done, out = Slots(most_bytes=most), 0, 0, []
        for job, size, take in steps:
            seen += 1
            received(slots, upload(job, seen, size))
            if take and slots._turns:
                out.append(await slots.take())
            present = [*out, *slots._waiting.values()]
            assert slots._bytes == sum(len(u.image) for u in present) <= most
            if len(out) > 1:
                slots.done(out.pop(0))
                done += 1
        assert seen == done + len(out) + len(slots) + slots.dropped + slots.refused
        for one in out:
            slots.done(one)
        while len(slots):
            slots.done(await slots.take())
        async with asyncio.timeout(5):
            await slots.idle()
        assert slots._bytes == 0

    asyncio.run(play())
