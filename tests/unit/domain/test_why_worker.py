"""Why a worker idles: what it is, what it is asked to be, what keeps it from tasks."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.domain.statuses import WorkerStatus
from flamenco_core.domain.why_worker import Hurdle, Work, WorkerAlone, why_idle

AWAKE, ASLEEP, OFFLINE = WorkerStatus.AWAKE, WorkerStatus.ASLEEP, WorkerStatus.OFFLINE


def why(status: WorkerStatus = AWAKE, **rest: Any) -> list[str]:
    return why_idle(WorkerAlone(status=status, **rest))


def work(hurdle: Hurdle, job: str = "shot", **rest: Any) -> Work:
    return Work(job_name=job, task_type=rest.pop("task_type", "blender"), hurdle=hurdle, **rest)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (why(), "no task waits that could be started now"),
        (why(task="r-1", job="shot"), "it is at work on 'r-1' of job 'shot'"),
        (why(OFFLINE), "it is offline; start the Worker"),
        (why(WorkerStatus.ERROR), "it was not heard of any more; it is back as soon as it calls"),
        (why(WorkerStatus.STARTING), "it has just started"),
        (why(ASLEEP), "it is asleep; ask it to wake up"),
        (why(ASLEEP, wakes_at="06:00"), "it is asleep; its sleep schedule wakes it at 06:00"),
        (why(wanted=ASLEEP), "it is asked to be asleep, and will be when it calls"),
        (
            why(work=(work(Hurdle.TYPE), work(Hurdle.NONE, "next"))),
            "it is ready; it takes a task of job 'next'",
        ),
        (
            why(work=(work(Hurdle.TYPE),), task_types=("ffmpeg", "misc")),
            "tasks wait of types that it does not run: blender; it runs: ffmpeg, misc",
        ),
        (why(work=(work(Hurdle.TAG, tag_name="gpu"),)), "tasks wait for workers with another tag"),
        (
            why(work=(work(Hurdle.BLOCKED, block_reason="it failed 3 tasks"),)),
            "it is on the blocklist of job 'shot' for tasks of type 'blender' because it failed 3",
        ),
        (why(work=(work(Hurdle.FAILED),)), "it failed the tasks that are left of job 'shot'"),
    ],
)
def test_there_is_a_reason_for_everything(found: list[str], words: str) -> None:
    assert len(found) == 1
    assert found[0].startswith(words)


@pytest.mark.parametrize("status", list(WorkerStatus))
def test_every_status_has_words(status: WorkerStatus) -> None:
    assert why(status)


def test_what_is_asked_comes_after_what_it_does() -> None:
    found = why(task="r-1", job="shot", wanted=OFFLINE, is_lazy=True)
    assert found[1] == "it is asked to be offline, and will be when its task is finished"
    assert len(why(ASLEEP, wanted=AWAKE)) == 2


def test_each_hurdle_is_named_the_one_that_can_be_taken_first() -> None:
    found = why(
        work=(
            work(Hurdle.TYPE, task_type="exr"),
            work(Hurdle.TAG, tag_name="gpu"),
            work(Hurdle.FAILED),
            work(Hurdle.BLOCKED),
        )
    )
    keys = ("blocklist", "failed", "another tag", "types")
    assert [key in words for key, words in zip(keys, found, strict=True)] == [True] * 4
    assert "it runs: nothing" in found[3]


def test_of_many_jobs_some_are_named() -> None:
    (found,) = why(work=tuple(work(Hurdle.FAILED, f"job {n}") for n in range(9)))
    assert "'job 4' and 4 more" in found
