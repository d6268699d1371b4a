from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.manager.images.slots import Slots, Upload


def upload(job: str, number: int = 0, size: int = 1) -> Upload:
    return Upload(job=job, task=f"{job}{number}", kind="PNG", image=b"x" * size)


async def taken(slots: Slots) -> str:
    async with asyncio.timeout(5):
        return (await slots.take()).task


async def test_only_the_newest_of_a_job_waits() -> None:
    slots = Slots()
    assert all(slots.put(upload("a", n)) for n in range(100))
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
        slots.done(task.rstrip("0123456789"))
        turns.append(task)
    assert turns[:3] == ["flood10", "b0", "c0"]
    slots.put(upload("late"))
    assert await taken(slots) == "flood61"
    slots.put(upload("flood", 99))
    slots.done("flood")
    assert [await taken(slots), await taken(slots)] == ["late0", "flood99"]


async def test_two_images_of_a_job_are_never_out_at_once() -> None:
    slots = Slots()
    slots.put(upload("a", 1))
    assert await taken(slots) == "a1"
    slots.put(upload("a", 2))
    other = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    assert not other.done()
    slots.done("a")
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
    slots.done("a")
    slots.done("b")
    await asyncio.sleep(0)
    assert not idle.done()
    slots.done((await slots.take()).job)
    await idle


async def test_together_they_have_a_limit() -> None:
    slots = Slots(most_bytes=10)
    assert slots.put(upload("a", size=6))
    assert not slots.put(upload("b", size=5))
    assert slots.put(upload("b", size=4))
    # One's own place may be taken by what is not larger, even when all is full.
    assert slots.put(upload("a", 1, size=6))
    assert not slots.put(upload("a", 2, size=7))
    assert (slots.refused, slots.dropped) == (2, 1)
    assert await taken(slots) == "a1"
    assert slots.put(upload("c", size=6))


STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5), st.booleans()), max_size=60)


@pytest.mark.parametrize("most", [8, 1000])
@given(steps=STEPS)
def test_whatever_comes_it_adds_up(most, steps) -> None:
    async def play() -> None:
        slots, put, out = Slots(most_bytes=most), 0, []
        for job, size, take in steps:
            put += 1
            slots.put(upload(job, put, size))
            if take and slots._turns:
                out.append(await slots.take())
                assert slots._bytes == sum(len(u.image) for u in slots._waiting.values()) <= most
            if len(out) > 1:
                slots.done(out.pop(0).job)
                put -= 1
        assert put == len(out) + len(slots) + slots.dropped + slots.refused

    asyncio.run(play())
