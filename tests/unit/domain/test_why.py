"""Why a task waits: who could run it is narrowed down until nobody is left."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.why import Able, Need, why_waiting

AWAKE, ASLEEP = WorkerStatus.AWAKE, WorkerStatus.ASLEEP


def worker(id: int = 1, **rest: Any) -> Able:
    given = {"name": f"w{id}", "status": AWAKE, "task_types": frozenset({"blender"})} | rest
    return Able(id=id, **given)


def why(*workers: Able, **need: Any) -> str:
    return why_waiting(Need(**{"task_type": "blender"} | need), workers)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (why(), "no worker has registered yet; start one"),
        (
            why(worker(task_types=frozenset({"ffmpeg", "misc"}))),
            "no worker runs tasks of type 'blender'; the farm's workers run: ffmpeg, misc",
        ),
        (
            why(worker(tags=frozenset({1})), tag=2, tag_name="gpu"),
            "no worker that runs tasks of type 'blender' has the job's tag 'gpu'",
        ),
        (
            why(worker(blocked=frozenset({"blender"})), worker(2, blocked=frozenset({"blender"}))),
            "on the job's blocklist for tasks of type 'blender': w1, w2; take one off it",
        ),
        (
            why(worker(), worker(2), failed_by=frozenset({1, 2})),
            "it failed on every worker that may run it: w1, w2;"
            " queue it again to let them try once more",
        ),
        (
            why(worker(status=ASLEEP), worker(2, wanted="asleep")),
            "no worker that may run it is awake: w1 (asleep), w2 (awake, asked to be asleep)",
        ),
        (why(worker(is_busy=True)), "waits for its turn; at work on other tasks: w1"),
        (why(worker(is_busy=True), worker(2)), "ready; a worker takes it the next time"),
    ],
)
def test_the_first_hurdle_that_nobody_takes_is_named(found: str, words: str) -> None:
    assert found.startswith(words)


def test_each_hurdle_counts_only_for_those_who_took_the_ones_before() -> None:
    # The one with the tag is blocked, the one that is not blocked lacks the tag.
    tagged = worker(tags=frozenset({2}), blocked=frozenset({"blender"}))
    assert "blocklist" in why(tagged, worker(2), tag=2, tag_name="gpu")
    # The only one that may try again sleeps.
    assert "w2 (asleep)" in why(worker(), worker(2, status=ASLEEP), failed_by=frozenset({1}))


def test_a_job_without_a_tag_is_for_workers_of_all_tags() -> None:
    assert why(worker(tags=frozenset({3}))).startswith("ready")


def test_of_many_names_some_are_written_out() -> None:
    found = why(*(worker(number, is_busy=True) for number in range(1, 9)))
    assert found.endswith("w1, w2, w3, w4, w5 and 3 more")
