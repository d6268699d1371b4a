from __future__ import annotations

import asyncio

import pytest

from flamenco_core.manager import doorbell
from flamenco_core.manager.doorbell import PASSED_ON, Bell, Doorbell

POOL, OTHER = (0, "misc"), (7, "blender")


@pytest.fixture
def bell() -> Doorbell:
    return Doorbell()


async def waiting(bell: Doorbell, worker: str, *pools: tuple[int, str], since: int | None = None):
    mark = bell.mark if since is None else since
    task = asyncio.create_task(bell.wait(worker, pools or (POOL,), mark, 30))
    await asyncio.sleep(0)
    return task


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def woken(tasks: list[asyncio.Task[Bell]]) -> list[int]:
    await settled()
    found = [number for number, task in enumerate(tasks) if task.done()]
    assert all(tasks[number].result() is Bell.RUNG for number in found)
    return found


async def test_as_many_are_woken_as_there_are_tasks_longest_wait_first(bell) -> None:
    tasks = [await waiting(bell, f"w{n}") for n in range(4)]
    bell.ring([(POOL, 2)])
    assert await woken(tasks) == [0, 1]
    bell.ring([(POOL, 1)])
    assert await woken(tasks) == [0, 1, 2]
    bell.close()


async def test_another_pool_wakes_nobody(bell) -> None:
    task = await waiting(bell, "w")
    bell.ring([(OTHER, 5)])
    assert await woken([task]) == []
    bell.close()
    assert await task is Bell.LEAVE


async def test_one_who_waits_at_several_pools_is_woken_once(bell) -> None:
    both, one = await waiting(bell, "a", POOL, OTHER), await waiting(bell, "b", OTHER)
    bell.ring([(POOL, 1), (OTHER, 1)])
    assert await woken([both, one]) == [0, 1]
    assert len(bell) == 0


async def test_a_ring_between_look_and_wait_counts(bell) -> None:
    mark = bell.mark
    bell.ring([(POOL, 1)])
    assert await bell.wait("w", (POOL,), mark, 30) is Bell.RUNG
    task = await waiting(bell, "w")
    assert await woken([task]) == []
    bell.close()


async def test_a_wake_between_look_and_wait_counts(bell) -> None:
    mark = bell.mark
    bell.wake("w")
    assert await bell.wait("w", (POOL,), mark, 30) is Bell.RUNG
    other = await waiting(bell, "other", since=mark)
    assert await woken([other]) == []
    bell.close()


async def test_who_waits_again_ends_the_earlier_wait(bell) -> None:
    first = await waiting(bell, "w")
    second = await waiting(bell, "w")
    await settled()
    assert first.result() is Bell.LEAVE
    bell.ring([(POOL, 1)])
    assert await woken([second]) == [0]


async def test_time_passes(bell) -> None:
    assert await bell.wait("w", (POOL,), bell.mark, 0.001) is Bell.QUIET
    assert len(bell) == 0


async def test_a_cancelled_wait_leaves_nothing(bell) -> None:
    task = await waiting(bell, "w", POOL, OTHER)
    task.cancel()
    await asyncio.wait({task})
    assert len(bell) == 0
    assert bell._by_pool == {}


async def test_who_finds_nothing_lets_the_next_one_look(bell) -> None:
    tasks = [await waiting(bell, f"w{n}") for n in range(3)]
    bell.ring([(POOL, 1)])
    assert await woken(tasks) == [0]
    bell.pass_on([POOL])
    assert await woken(tasks) == [0, 1]
    bell.close()


async def test_who_has_looked_since_is_not_asked_again(bell) -> None:
    first = await waiting(bell, "a")
    bell.ring([(POOL, 1)])
    assert await woken([first]) == [0]
    again = await waiting(bell, "a")
    bell.pass_on([POOL])
    assert await woken([again]) == []
    bell.close()


async def test_a_ring_is_passed_on_a_few_times_only(bell) -> None:
    tasks = [await waiting(bell, f"w{n}") for n in range(PASSED_ON + 3)]
    bell.ring([(POOL, 1)])
    for _ in tasks:
        bell.pass_on([POOL])
    assert len(await woken(tasks)) == 1 + PASSED_ON
    bell.close()


async def test_passing_on_without_a_ring_does_nothing(bell) -> None:
    task = await waiting(bell, "w")
    bell.pass_on([POOL, OTHER])
    assert await woken([task]) == []
    bell.close()


async def test_nobody_waits_at_a_closed_doorbell(bell) -> None:
    bell.close()
    assert await bell.wait("w", (POOL,), bell.mark, 30) is Bell.LEAVE


# -- it does not grow


async def test_only_so_many_rings_are_remembered_and_none_is_missed(bell, monkeypatch) -> None:
    monkeypatch.setattr(doorbell, "REMEMBERED", 3)
    mark = bell.mark
    for tag in range(10):
        bell.ring([((tag, "misc"), 1)])
        bell.wake(f"w{tag}")
    assert [len(kept) for kept in (bell._last_ring, bell._last_wake, bell._to_pass_on)] == [3] * 3
    # Those that are forgotten count for everybody who has looked before them.
    assert await bell.wait("w0", ((99, "misc"),), mark, 30) is Bell.RUNG
    assert await bell.wait("x", ((0, "misc"),), mark, 30) is Bell.RUNG
    task = await waiting(bell, "x", (99, "misc"))
    assert await woken([task]) == []
    bell.close()


async def test_who_rings_often_is_remembered(bell, monkeypatch) -> None:
    monkeypatch.setattr(doorbell, "REMEMBERED", 2)
    mark = bell.mark
    for tag in range(5):
        bell.ring([(POOL, 1), ((100 + tag, "misc"), 1)])
    assert POOL in bell._last_ring
    assert await bell.wait("w", (POOL,), mark, 30) is Bell.RUNG
