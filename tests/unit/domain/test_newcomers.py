"""Which workers were on the farm before."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.domain.newcomers import Machine, newcomers
from flamenco_core.domain.statuses import WorkerStatus


def a_machine(id: str, created: int, **rest: Any) -> Machine:
    given: dict[str, Any] = {
        "name": "alfa",
        "platform": "linux",
        "number": "",
        "status": WorkerStatus.OFFLINE,
    }
    return Machine(id=id, created=created, **{**given, **rest})


def was(*machines: Machine) -> dict[str, tuple[str, ...]]:
    return {id: found.was for id, found in newcomers(machines).items() if found.was}


def test_the_same_name_and_platform_is_the_same_machine() -> None:
    assert was(a_machine("a", 1), a_machine("b", 2, name=" ALFA ")) == {"b": ("a",)}
    assert was(a_machine("a", 1), a_machine("b", 2, platform="windows")) == {}


def test_the_same_number_is_it_whatever_the_name() -> None:
    assert was(a_machine("a", 1, number="n"), a_machine("b", 2, name="x", number="n")) == {
        "b": ("a",)
    }
    assert was(a_machine("a", 1, name="x"), a_machine("b", 2, name="y")) == {}


def test_nameless_ones_are_not_all_the_same() -> None:
    assert was(a_machine("a", 1, name=" "), a_machine("b", 2, name="")) == {}


@pytest.mark.parametrize("status", list(WorkerStatus))
def test_only_one_that_is_not_at_work_has_become_another(status: WorkerStatus) -> None:
    idle = status in {WorkerStatus.OFFLINE, WorkerStatus.ASLEEP, WorkerStatus.ERROR}
    found = was(a_machine("a", 1, status=status), a_machine("b", 2))
    assert found == ({"b": ("a",)} if idle else {})


def test_the_newest_comes_first_and_nobody_twice() -> None:
    found = was(*(a_machine(id, n, number="n") for n, id in enumerate("abc")))
    assert found == {"b": ("a",), "c": ("b", "a")}


def test_one_that_waits_is_named_though_it_is_new() -> None:
    found = newcomers([a_machine("a", 1, is_pending=True), a_machine("b", 1, name="x")])
    assert set(found) == {"a"}
    assert found["a"].is_pending
