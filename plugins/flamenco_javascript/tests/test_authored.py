"""What comes back from a child is data from outside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flamenco_javascript.authored import read_job
from flamenco_javascript.settings import Settings
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.errors import JobTypeError
from flamenco_core.offers import AuthoredJob


def task(number: int = 0, *parents: int | str, **changes: Any) -> dict[str, Any]:
    facts = {
        "id": f"00000000-0000-4000-8000-{number:012x}",
        "name": f"t{number}",
        "type": "misc",
        "priority": 50,
        "commands": [{"name": "echo", "parameters": {}, "steps": 0}],
        "parents": list(parents),
    }
    return {**facts, **changes}


def read(*tasks: Any, limits: Settings | None = None, **job: Any) -> AuthoredJob:
    facts = {"name": "j", "priority": 50, "settings": {}, "metadata": {}, **job}
    data = json.dumps({"job": facts, "tasks": list(tasks)}).encode()
    return read_job("x.js", data, limits or Settings())


def test_a_job_is_read() -> None:
    job = read(task(0), task(1, 0, priority=80), settings={"a": [1.5]}, metadata={"b": "c"})
    assert [(t.name, t.parents, t.priority) for t in job.tasks] == [
        ("t0", (), 50),
        ("t1", (0,), 80),
    ]
    assert (job.settings, job.metadata) == ({"a": [1.5]}, {"b": "c"})


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([task(0, 1)], "task 't0' depends on task 1, which does not exist"),
        ([task(0, -1)], "task 't0' depends on task -1, which does not exist"),
        ([task(0, "lost")], "task 't0' depends on 'lost', which is no task of this job"),
        ([task(0), task(1, 0, 0)], "task 't1' depends twice on 't0'"),
        ([task(0, 0)], "tasks wait for each other: 't0' → 't0'"),
        (
            [task(0, 2), task(1, 0), task(2, 1)],
            "tasks wait for each other: 't0' → 't2' → 't1' → 't0'",
        ),
        ([task(0), task(0, name="again")], "task 'again' was added twice"),
        ([task(0, id="no")], "task 't0': 'no' is no UUID"),
        ([task(0, name=" ")], "task ' ': its name must be a text of one line"),
        ([task(0, name="a\nb")], "its name must be a text of one line"),
        ([task(0, type="a\x1b[31m")], "task 't0': its type must be a text of one line"),
        ([task(0, priority=2**31)], "task 't0': its priority is too large: 2147483648"),
        ([task(0, priority=5.5)], "this is no job: Expected `int`, got `float`"),
        ([task(0, priority="5")], "this is no job"),
        ([task(0, parents=[1.5])], "this is no job"),
        ([task(0, commands=[{"name": "echo"}])], "this is no job"),
        (
            [task(0, commands=[{"name": "", "parameters": {}, "steps": 0}])],
            "a command needs a name",
        ),
        (
            [task(0, commands=[{"name": "e", "parameters": {}, "steps": -1}])],
            "command 'e' cannot have -1 steps",
        ),
        ([task(0, commands=[{"name": "e", "parameters": [], "steps": 0}])], "this is no job"),
        ([5], "this is no job"),
    ],
)
def test_wrong_tasks_are_refused_by_name(tasks: list[Any], message: str) -> None:
    with pytest.raises(JobTypeError) as raised:
        read(*tasks)
    assert str(raised.value).startswith("x.js: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"name": " "}, "the job needs a name"),
        ({"priority": -(2**31)}, "the job's priority is too large"),
        ({"metadata": {"a": 1}}, "this is no job"),
        ({"settings": None}, "this is no job"),
    ],
)
def test_a_wrong_job_is_refused(job: dict[str, Any], message: str) -> None:
    with pytest.raises(JobTypeError, match=message):
        read(task(), **job)


@pytest.mark.parametrize(
    "data", [b"", b"1", b"{}", b"[" * 100_000, b'{"job":1,"tasks":[]}', b"\xff"]
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(JobTypeError, match="this is no job"):
        read_job("x.js", data, Settings())


def test_the_limits_are_checked_here_as_well() -> None:
    with pytest.raises(JobTypeError, match="too large: it makes more than 1 tasks"):
        read(task(0), task(1), limits=Settings(tasks=1))
    many = [{"name": "e", "parameters": {}, "steps": 0}] * 2
    with pytest.raises(JobTypeError, match="too large: it has more than 1 commands"):
        read(task(0, commands=many), limits=Settings(commands=1))


def test_a_long_circle_is_shortened() -> None:
    count = 10_000
    with pytest.raises(JobTypeError) as raised:
        read(*(task(number, (number + 1) % count) for number in range(count)))
    assert len(str(raised.value)) < 200


def test_a_task_that_only_waits_for_a_circle_is_not_blamed() -> None:
    with pytest.raises(JobTypeError) as raised:
        read(task(0, 1), task(1, 2), task(2, 1))
    assert str(raised.value).endswith("'t1' → 't2' → 't1'")


edges = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=16, unique=True)


@given(edges)
def test_a_job_is_accepted_exactly_if_its_tasks_can_be_put_in_order(
    pairs: list[tuple[int, int]],
) -> None:
    tasks = [task(n, *(parent for child, parent in pairs if child == n)) for n in range(8)]
    done: set[int] = set()
    while more := {n for n in range(8) if set(tasks[n]["parents"]) <= done} - done:
        done |= more
    if len(done) == 8:
        assert len(read(*tasks).tasks) == 8
    else:
        with pytest.raises(JobTypeError, match="wait for each other"):
            read(*tasks)
