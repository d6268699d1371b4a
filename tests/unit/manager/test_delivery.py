from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from flamenco_core.manager.store.delivery import Delivery


class Posted:
    """What was handed on; `wait` waits for so many."""

    def __init__(self) -> None:
        self.commits: list[int] = []
        self.failures: list[Exception | None] = []
        self._changed = threading.Condition()

    def post(self, commits: Sequence[int], failure: Exception | None) -> None:
        with self._changed:
            self.commits += commits
            self.failures.append(failure)
            self._changed.notify()

    def wait(self, count: int) -> list[int]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.commits) >= count, timeout=10)
            return self.commits


@pytest.fixture
def posted() -> Posted:
    return Posted()


@pytest.fixture
def flush() -> Iterator[Callable[[], None]]:
    return lambda: None


@pytest.fixture
def delivery(posted: Posted, flush: Callable[[], None]) -> Iterator[Delivery[int]]:
    delivery = Delivery[int](flush, posted.post)
    delivery.start()
    yield delivery
    delivery.close()


def test_commits_are_handed_on_in_the_order_of_their_numbers(
    delivery: Delivery[int], posted: Posted
) -> None:
    numbers = [delivery.draw() for _ in range(100)]
    random.shuffle(numbers)
    for number in numbers:
        delivery.finish(number, number)
    assert posted.wait(100) == list(range(1, 101))


def test_one_that_is_slow_holds_back_those_that_may_build_on_it(
    delivery: Delivery[int], posted: Posted
) -> None:
    first, second = delivery.draw(), delivery.draw()
    delivery.finish(second, second)
    assert posted.commits == []
    delivery.finish(first, first)
    assert posted.wait(2) == [first, second]


def test_one_that_failed_is_passed_over(delivery: Delivery[int], posted: Posted) -> None:
    first, second = delivery.draw(), delivery.draw()
    delivery.finish(first, None)
    delivery.finish(second, second)
    assert posted.wait(1) == [second]


def test_what_comes_while_the_disk_is_busy_is_flushed_together(posted: Posted) -> None:
    flushes, busy, go_on = [], threading.Event(), threading.Event()

    def flush() -> None:
        flushes.append(1)
        busy.set()
        assert go_on.wait(10)

    delivery = Delivery[int](flush, posted.post)
    delivery.start()
    delivery.finish(delivery.draw(), 1)
    assert busy.wait(10)
    for number in range(2, 50):
        delivery.finish(delivery.draw(), number)
    go_on.set()
    posted.wait(49)
    delivery.close()
    assert len(flushes) == 2


def test_a_flush_that_fails_is_told_and_the_next_one_is_tried(posted: Posted) -> None:
    errors = [OSError("no disk")]

    def flush() -> None:
        if errors:
            raise errors.pop()

    delivery = Delivery[int](flush, posted.post)
    delivery.start()
    delivery.finish(delivery.draw(), 1)
    posted.wait(1)
    delivery.finish(delivery.draw(), 2)
    posted.wait(2)
    delivery.close()
    assert [str(failure) for failure in posted.failures] == ["no disk", "None"]


def test_close_hands_on_what_is_left(posted: Posted) -> None:
    delivery = Delivery[int](lambda: None, posted.post)
    delivery.start()
    for number in range(20):
        delivery.finish(delivery.draw(), number)
    delivery.close()
    assert posted.commits == list(range(20))
