from __future__ import annotations

import pytest

from flamenco_core.domain.scheduling import Candidate, WorkerAtWork
from flamenco_core.plugins import Plugins


def candidate(name: str) -> Candidate:
    return Candidate(
        task_id=name,
        task_name="render",
        task_type="blender",
        task_priority=50,
        job_id=name,
        job_name=name,
        job_type="greet",
        job_priority=50,
    )


def worker(name: str) -> WorkerAtWork:
    return WorkerAtWork(id="1", name=name, platform="linux", task_types=("blender",))


CALM, URGENT = candidate("calm"), candidate("urgent one")


@pytest.mark.parametrize(
    ("name", "candidates", "chosen"),
    [
        ("fast-1", (CALM, URGENT), URGENT),
        ("fast-1", (CALM,), None),
        ("slow-1", (CALM, URGENT), None),
        ("fast-1", (), None),
    ],
)
def test_the_example_sends_urgent_jobs_to_fast_workers(
    load, example, name: str, candidates: tuple[Candidate, ...], chosen: Candidate | None
) -> None:
    plugins = load("manager", example("choose_task"))
    found = plugins.choose("choose_task", worker=worker(name), candidates=candidates)
    assert found is chosen


def test_a_broken_choice_leaves_it_to_the_next(load, example, implementing, caplog) -> None:
    plugins: Plugins = load(
        "manager", example("choose_task"), implementing("broken", choose_task=lambda: 1 / 0)
    )
    found = plugins.choose("choose_task", worker=worker("fast-1"), candidates=(URGENT,))
    assert found is URGENT
    assert plugins["broken"].failures == 1
    assert "'broken' failed in choose_task" in caplog.text
